using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// Running statistics of batch norms, taken anew: what is cut or replaced before a norm moves what it sees, and its statistics
/// are the cheapest thing to put right. Nothing else of the network changes.
/// </summary>
public static class BatchNormRecalibration
{
    /// <summary>Forward passes in training mode; each batch counts as much.</summary>
    /// <param name="batches">Images [N, 3, H, W]; at least one, of more than one image or position.</param>
    /// <exception cref="ModelException">There was no batch.</exception>
    public static void Run(ImageClassifier network, IEnumerable<Tensor> batches)
    {
        using var ungraded = no_grad();
        var (training, cumulative) = (network.Training, network.CumulativeStatistics);
        foreach (var (name, tensor) in network.NamedBuffers())
            tensor.fill_(name.EndsWith(".running_var", StringComparison.Ordinal) ? 1 : 0);
        (network.Training, network.CumulativeStatistics) = (true, true);
        try
        {
            var count = 0;
            foreach (var batch in batches)
            {
                using var logits = network.Forward(batch);
                count++;
            }

            if (count == 0)
                throw new ModelException("running statistics cannot be taken of no batch");
        }
        finally
        {
            (network.Training, network.CumulativeStatistics) = (training, cumulative);
        }
    }
}
