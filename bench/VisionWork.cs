using Pipelines.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Bench;

/// <summary>Our side of the vision bench: the same work on the same files as peers/vision.py, in a process of its own.</summary>
public static class VisionWork
{
    public static readonly string[] Methods = ["forward", "train"];

    /// <summary>Images in a batch.</summary>
    public const int Batch = 128;

    /// <param name="folder">A network.</param>
    /// <param name="path">A safetensors file with <c>images</c> [N, 3, 32, 32] and <c>labels</c> [N].</param>
    public static Measured Run(string method, string folder, string path, int threads)
    {
        set_num_threads(threads);
        using var network = VisionFolder.Load(folder, CPU);
        using var file = SafetensorsFile.Open(path);
        using var images = file.View("images");
        using var labels = file.View("labels");
        Func<double> work = method switch
        {
            "forward" => () => Forward(network, images),
            "train" => () => Train(network, images, labels),
            _ => throw new ArgumentException($"no method '{method}': expected one of {string.Join(", ", Methods)}"),
        };
        return SideBySide.Time(images.shape[0], work);
    }

    private static double Forward(ImageClassifier network, Tensor images)
    {
        using var ungraded = no_grad();
        var sum = 0.0;
        foreach (var batch in images.split(Batch))
        {
            using var scope = NewDisposeScope();
            sum += network.Forward(batch).to(ScalarType.Float64).square().sum().ToDouble();
        }

        return sum;
    }

    private static double Train(ImageClassifier network, Tensor images, Tensor labels)
    {
        using var whole = NewDisposeScope();
        Parameter[] trained = [.. network.NamedParameters().Select(parameter => nn.Parameter(parameter.Tensor.requires_grad_().alias()))];
        using var optimizer = optim.SGD(trained, 0.01, momentum: 0.9, weight_decay: 5e-4);
        network.Training = true;
        var last = 0.0;
        foreach (var (batch, truth) in images.split(Batch).Zip(labels.split(Batch)))
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var loss = nn.functional.cross_entropy(network.Forward(batch), truth);
            loss.backward();
            optimizer.step();
            last = loss.ToDouble();
        }

        return last;
    }
}
