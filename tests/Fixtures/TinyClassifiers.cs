using System.Text.Json.Nodes;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Tests.Fixtures;

/// <summary>Random image networks of each architecture, for small images; norms and their statistics are moved off 1 and 0.</summary>
internal static class TinyClassifiers
{
    public static TheoryData<string> Names => [.. Configs.Keys];

    private static Dictionary<string, (int Size, string Config)> Configs { get; } = new()
    {
        ["cifar-resnet-a"] = (32, """{"architectures":["CifarResNet"],"depth":20}"""),
        ["cifar-resnet-b"] = (32, """{"architectures":["CifarResNet"],"depth":20,"shortcut":"B"}"""),
        ["vgg16"] = (32, """{"architectures":["CifarVgg"],"depth":16}"""),
        ["vgg19"] = (32, """{"architectures":["CifarVgg"],"depth":19,"num_classes":100}"""),
        ["resnet18"] = (64, """{"architectures":["ResNet"],"depth":18,"image_size":64,"num_classes":10}"""),
        ["resnet34"] = (64, """{"architectures":["ResNet"],"depth":34,"image_size":64,"num_classes":10}"""),
        ["resnet50"] = (64, """{"architectures":["ResNet"],"depth":50,"image_size":64,"num_classes":10}"""),
        ["mobilenet-v2"] = (64, """{"architectures":["MobileNetV2"],"image_size":64,"num_classes":10}"""),
    };

    public static ImageConfig Config(string name) => Parse(Configs[name].Config);

    public static ImageConfig Parse(string config) => ImageConfig.Parse("config.json", JsonNode.Parse(config)!.AsObject());

    public static ImageClassifier Create(string name) => Moved(VisionFolder.Create(Config(name), seed: 3));

    /// <summary>[count, 3, size, size].</summary>
    public static Tensor Images(ImageConfig config, int count = 2)
    {
        using var generator = new Generator(7, CPU);
        return empty(count, 3, config.ImageSize, config.ImageSize).normal_(generator: generator);
    }

    /// <summary>So that a scale, a shift or a statistic that is forgotten is found out.</summary>
    public static ImageClassifier Moved(ImageClassifier network)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var generator = new Generator(5, CPU);
        foreach (var (name, tensor) in network.NamedParameters().Concat(network.NamedBuffers()).Where(tensor => tensor.Tensor.ndim == 1))
        {
            var noise = empty(tensor.shape).uniform_(-0.2, 0.2, generator: generator);
            tensor.add_(noise);
        }

        return network;
    }
}
