using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Classifying;

/// <summary>Trains an image classifier from scratch, for the size and the classes of the images that it is given.</summary>
[Description("Trains an image classifier from scratch")]
public sealed class TrainClassifier : Activity<TrainClassifier.Inputs, TrainClassifier.Parameters, TrainClassifier.Outputs>
{
    // Of the architectures that come in several depths.
    private static readonly Dictionary<string, int> Shallowest = new() { ["CifarResNet"] = 20, ["CifarVgg"] = 16, ["ResNet"] = 18 };

    public sealed record Inputs(Images Data);

    public sealed record Parameters(
        [property: Description("CifarResNet, CifarVgg, ResNet or MobileNetV2")] string Architecture = "CifarResNet",
        [property: Range(1, 1000), Description("Layers, where the architecture comes in several depths: 20, 32, 44, 56, 110; 16, 19; 18, 34, 50, 101, 152; the least when absent")] int? Depth = null,
        [property: Range(0.001, 100_000.0), Description("How often every image is seen")] double Epochs = 30,
        [property: Range(2, 65536), Description("Images in a batch")] int Batch = 128,
        [property: Description("What changes the parameters")] OptimizerKind Optimizer = OptimizerKind.Sgd,
        [property: Range(1e-7, 100.0), Description("The highest learning rate; AdamW wants a lower one, as 0.001")] double LearningRate = 0.1,
        [property: Range(0.0, 0.9999), Description("Share of the last update in the next one, with sgd")] double Momentum = 0.9,
        [property: Description("Whether the gradient is taken to be where the momentum leads, with sgd")] bool Nesterov = false,
        [property: Range(0.0, 1.0), Description("Share of a parameter that decays with each step of learning rate 1")] double WeightDecay = 5e-4,
        [property: Description("How the learning rate goes")] RateSchedule Schedule = RateSchedule.Cosine,
        [property: Range(0.0, 1.0), Description("Share of the steps in which it rises first")] double Warmup = 0.05,
        [property: Range(0.0, 0.9), Description("Share of a label that is spread over all classes")] double Smoothing = 0,
        [property: Range(0, 64), Description("Black pixels around an image before a piece of its size is cut from anywhere; 0 for none")] int Pad = 4,
        [property: Description("Turn every other image left to right, by chance")] bool Flip = true,
        [property: Range(0.0, 2.0), Description("α of how much of another image is mixed in; 0 for none")] double Mixup = 0,
        [property: Description("Of the initial weights, of the order and of what is changed of the images")] long Seed = 0);

    public sealed record Outputs(Checkpoint Model, double Loss);

    public override string Kind => "model.train-classifier";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Data, cancellation);
        var config = ImageConfig.Parse("model.train-classifier", Config(parameters, images));
        using (var made = VisionFolder.Create(config, parameters.Seed))
            VisionFolder.Save(made, stage.Scratch);
        using var network = VisionFolder.Load(stage.Scratch, device(stage.Device));
        var training = new ClassifierTraining(
            parameters.Epochs, parameters.Batch, parameters.Optimizer, parameters.LearningRate, parameters.Momentum, parameters.Nesterov,
            parameters.WeightDecay, parameters.Schedule, parameters.Warmup, parameters.Smoothing,
            new Augmentation(parameters.Pad, parameters.Flip, parameters.Mixup), parameters.Seed);
        var loss = training.Run(network, images, teacher: null, stage, cancellation);
        return new Outputs(await stage.SaveClassifierAsync(network, cancellation), loss);
    }

    private static JsonObject Config(Parameters parameters, ImageSet images)
    {
        var info = images.Info;
        if (info.Width != info.Height)
            throw new StageException($"the images are {info.Width}×{info.Height}: expected squares: set 'size' of data.images");
        var (mean, deviation) = PixelStatistics.Of(images);
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(parameters.Architecture),
            ["num_classes"] = info.Classes.Count,
            ["image_size"] = info.Width,
            ["image_mean"] = Three(mean),
            ["image_std"] = Three(deviation),
            ["id2label"] = new JsonObject(info.Classes.Index().Select(one => KeyValuePair.Create($"{one.Index}", (JsonNode?)one.Item))),
        };
        if ((parameters.Depth ?? Shallowest.GetValueOrDefault(parameters.Architecture)) is > 0 and var depth)
            json["depth"] = depth;
        return json;

        // Grey images are shown as coloured ones.
        static JsonArray Three(double[] values) =>
            [.. Enumerable.Range(0, 3).Select(channel => (JsonNode)Math.Round(values[channel % values.Length], 4))];
    }
}

/// <summary>Of a set's pixels, between 0 and 1.</summary>
internal static class PixelStatistics
{
    private const long Together = 1024;

    // For a set that is of one colour only.
    private const double Least = 1.0 / 255;

    /// <returns>Of each channel the mean and the standard deviation, summed in double.</returns>
    public static (double[] Mean, double[] Deviation) Of(ImageSet images)
    {
        using var scope = NewDisposeScope();
        var sums = zeros([2, images.Pixels.shape[1]], ScalarType.Float64);
        foreach (var part in images.Pixels.split(Together))
        {
            using var inner = NewDisposeScope();
            var values = part.to(ScalarType.Float64).div_(255.0);
            sums[0].add_(values.sum([0L, 2, 3]));
            sums[1].add_(values.square().sum([0L, 2, 3]));
        }

        var count = images.Pixels.numel() / images.Pixels.shape[1];
        var mean = sums[0] / count;
        var deviation = (sums[1] / count - mean.square()).clamp(0).sqrt();
        return (mean.data<double>().ToArray(), [.. deviation.data<double>().Select(value => Math.Max(value, Least))]);
    }
}
