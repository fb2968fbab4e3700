using Pipelines.Activities.Classifying;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>Gradients of a classifier's mean cross-entropy at its parameters, in double; in evaluation mode.</summary>
public sealed class ClassifierGradients : IDisposable
{
    private readonly Dictionary<string, Tensor> sums = [];

    /// <summary>Of the shape of the parameter.</summary>
    public Tensor this[string name] => sums[name];

    /// <param name="batches">Each counts by its images.</param>
    /// <param name="report">Is told the images that are done, and the last batch's loss.</param>
    public static ClassifierGradients Of(ImageClassifier network, IEnumerable<ImageBatch> batches, Action<long, double>? report = null)
    {
        using var scope = NewDisposeScope();
        var gradients = new ClassifierGradients();
        var parameters = network.NamedParameters().ToArray();
        var images = 0L;
        foreach (var (name, tensor) in parameters)
            gradients.sums[name] = zeros_like(tensor.requires_grad_(), dtype: ScalarType.Float64).DetachFromDisposeScope();
        try
        {
            foreach (var batch in batches)
            {
                using var one = NewDisposeScope();
                var loss = ClassificationLoss.Of(network.Forward(batch.Inputs), batch, 0);
                foreach (var ((name, _), gradient) in parameters.Zip(autograd.grad([loss], [.. parameters.Select(parameter => parameter.Tensor)])))
                    gradients.sums[name].add_(gradient.to(ScalarType.Float64), batch.Count);
                images += batch.Count;
                report?.Invoke(images, loss.ToDouble());
            }
        }
        finally
        {
            foreach (var (_, tensor) in parameters)
                tensor.requires_grad_(false);
        }

        foreach (var sum in gradients.sums.Values)
            sum.div_((double)images);
        return gradients;
    }

    public void Dispose()
    {
        foreach (var sum in sums.Values)
            sum.Dispose();
    }
}
