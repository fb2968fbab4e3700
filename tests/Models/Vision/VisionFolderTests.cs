using System.Text.Json.Nodes;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models.Vision;

/// <summary>What is saved is loaded again, and what cannot be loaded says why.</summary>
public sealed class VisionFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-vision-").FullName;
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void An_uncut_network_needs_no_manifest_and_keeps_its_config()
    {
        using var network = Save("cifar-resnet-a", config => config["license"] = "BSD-2-Clause");
        using var loaded = VisionFolder.Load(folder, CPU);

        Assert.False(File.Exists(Path.Combine(folder, "pipelines.json")));
        Assert.Equal("BSD-2-Clause", Config()["license"]!.GetValue<string>());
        Assert.All(network.NamedParameters().Concat(network.NamedBuffers()), tensor => Assert.True(tensor.Tensor.Equals(loaded[tensor.Name]), tensor.Name));
        using (no_grad())
            loaded["conv1.weight"].zero_();
        using var again = VisionFolder.Load(folder, CPU);
        Assert.True(again["conv1.weight"].Equals(network["conv1.weight"]));
    }

    [Fact]
    public void A_cut_network_without_a_padded_shortcut_loads_without_the_manifest_too()
    {
        using (var network = TinyClassifiers.Create("cifar-resnet-b"))
        {
            Cut(network);
            Assert.True(VisionFolder.Save(network, folder));
        }

        File.Delete(Path.Combine(folder, "pipelines.json"));
        using var loaded = VisionFolder.Load(folder, CPU);
        Assert.Equal(5, loaded.Sites()[0].Count);
    }

    [Fact]
    public void A_padded_shortcut_of_a_cut_network_needs_the_manifest()
    {
        using (var network = TinyClassifiers.Create("cifar-resnet-a"))
        {
            Cut(network);
            VisionFolder.Save(network, folder);
        }

        File.Delete(Path.Combine(folder, "pipelines.json"));
        Assert.Contains("layer2.0.shortcut passes on channel 5 of 5: pipelines.json must list", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"format": 1, "channels": {}, "shortcuts": {}}""", "format is 1: this program reads 2")]
    [InlineData("""{"format": 2, "channels": {"conv9": 4}, "shortcuts": {}}""", "names 'conv9'")]
    [InlineData("""{"format": 2, "channels": {"conv1": 4}, "shortcuts": {}}""", "tensor 'conv1.weight' has 16 outputs; pipelines.json says 4")]
    [InlineData("""{"format": 2, "channels": {}, "shortcuts": {"layer2.0.shortcut": [16]}}""", "layer2.0.add adds 32 channels of layer2.0.bn2 to 1 of layer2.0.shortcut")]
    [InlineData("""{"format": 2, "channels": {}}""", "expected a manifest of format 2")]
    [InlineData("""{"format": 2, "channels": {}, "shortcuts": {}, "layers": []}""", "expected a manifest of format 2")]
    [InlineData("[]", "expected a manifest of format 2")]
    public void A_manifest_that_disagrees_is_refused(string manifest, string reason)
    {
        using var network = Save("cifar-resnet-a");
        File.WriteAllText(Path.Combine(folder, "pipelines.json"), manifest);

        Assert.Contains(reason, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_that_passes_on_what_there_is_not_is_refused()
    {
        using var network = Save("cifar-resnet-a");
        var sources = new JsonArray([.. Enumerable.Range(0, 32).Select(channel => (JsonNode)channel)]);
        File.WriteAllText(
            Path.Combine(folder, "pipelines.json"),
            new JsonObject { ["format"] = 2, ["channels"] = new JsonObject(), ["shortcuts"] = new JsonObject { ["layer2.0.shortcut"] = sources } }.ToJsonString());

        Assert.Contains("layer2.0.shortcut passes on channel 16 of 16", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bn1.running_var", null, "tensor 'bn1.running_var' is missing")]
    [InlineData("conv1.weight", null, "tensor 'conv1.weight' is missing")]
    [InlineData("layer1.0.conv1.bias", new long[] { 16 }, "tensor 'layer1.0.conv1.bias' is no part of CifarResNet")]
    [InlineData("layer1.0.conv2.weight", new long[] { 16, 7, 3, 3 }, "tensor 'layer1.0.conv2.weight' has shape [16, 7, 3, 3]; what it works with asks for [16, 16, 3, 3]")]
    [InlineData("layer1.0.conv2.weight", new long[] { 16, 16, 5, 5 }, "has shape [16, 16, 5, 5]")]
    [InlineData("layer1.0.bn1.weight", new long[] { 12 }, "tensor 'layer1.0.bn1.weight' has shape [12]")]
    [InlineData("linear.weight", new long[] { 12, 64 }, "tensor 'linear.bias' has shape [10]")]
    [InlineData("conv1.weight", new long[] { }, "tensor 'conv1.weight' has shape []")]
    public void Tensors_that_do_not_fit_are_refused_by_name(string name, long[]? shape, string reason)
    {
        using var network = Save("cifar-resnet-a");
        Rewrite(network, name, shape);

        Assert.Contains(reason, Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("conv1.weight", "tensor 'conv1.weight' is of type Int64: expected floating point")]
    [InlineData("bn1.num_batches_tracked", "tensor 'bn1.num_batches_tracked' is of type Float32: expected Int64")]
    public void Tensors_of_the_wrong_type_are_refused(string name, string reason)
    {
        using var network = Save("cifar-resnet-a");
        Rewrite(network, name, [.. network[name].shape], name == "conv1.weight" ? ScalarType.Int64 : ScalarType.Float32);

        Assert.Contains(reason, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_classifier_of_other_classes_is_refused()
    {
        using var network = Save("cifar-resnet-a");
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"architectures":["CifarResNet"],"depth":20,"num_classes":11}""");

        Assert.Contains("linear has 10 outputs; config.json says num_classes 11", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Counts_of_batches_may_be_left_out()
    {
        using var network = Save("cifar-resnet-a");
        Rewrite(network, "bn1.num_batches_tracked", null);

        using var loaded = VisionFolder.Load(folder, CPU);

        Assert.Equal(0, loaded["bn1.num_batches_tracked"].ToInt64());
    }

    [Theory]
    [InlineData("""{"architectures":["AlexNet"]}""", "architectures names 'AlexNet': expected one of CifarResNet, CifarVgg, ResNet, MobileNetV2")]
    [InlineData("""{"depth":20}""", "architectures is missing")]
    [InlineData("""{"architectures":["CifarResNet"]}""", "depth is missing")]
    [InlineData("""{"architectures":["CifarResNet"],"depth":21}""", "depth is 21: expected 6 n + 2")]
    [InlineData("""{"architectures":["CifarResNet"],"depth":20,"shortcut":"C"}""", "shortcut is \"C\"")]
    [InlineData("""{"architectures":["CifarVgg"],"depth":11}""", "depth is 11: expected 16 or 19")]
    [InlineData("""{"architectures":["ResNet"],"depth":20}""", "depth is 20: expected 18, 34, 50")]
    [InlineData("""{"architectures":["MobileNetV2"],"num_classes":0}""", "num_classes is 0")]
    [InlineData("""{"architectures":["CifarVgg"],"depth":16,"image_size":16}""", "images of 16 × 16 leave nothing here")]
    [InlineData("""{"architectures":["MobileNetV2"],"image_mean":[0.5]}""", "image_mean is [0.5]: expected three numbers")]
    [InlineData("[]", "expected a JSON object")]
    [InlineData("{", "config.json")]
    public void A_config_that_describes_nothing_is_refused(string config, string reason)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), config);

        Assert.Contains(reason, Refusal(), StringComparison.Ordinal);
        Assert.Equal(config.Contains("MobileNetV2", StringComparison.Ordinal) || config.Contains("Res", StringComparison.Ordinal) || config.Contains("Vgg", StringComparison.Ordinal), ImageConfig.IsIn(folder));
    }

    private static void Cut(ImageClassifier network) => UnitCut.Keep([(network.Sites()[0], [0, 3, 4, 9, 15])]);

    private ImageClassifier Save(string name, Action<JsonObject>? change = null)
    {
        var network = TinyClassifiers.Create(name);
        VisionFolder.Save(network, folder);
        var config = Config();
        change?.Invoke(config);
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        if (change is null)
            return network;
        network.Dispose();
        var again = VisionFolder.Load(folder, CPU);
        VisionFolder.Save(again, folder);
        return again;
    }

    private JsonObject Config() => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();

    /// <param name="shape">Null to leave the tensor out.</param>
    private void Rewrite(ImageClassifier network, string name, long[]? shape, ScalarType type = ScalarType.Float32) => SafetensorsWriter.Write(
        Path.Combine(folder, "model.safetensors"),
        [
            .. network.NamedParameters().Concat(network.NamedBuffers()).Where(tensor => tensor.Name != name)
                .Concat(shape is null ? [] : [(name, zeros(shape, dtype: type))]).Select(tensor => TensorSource.Of(tensor.Item1, tensor.Item2)),
        ]);

    private string Refusal()
    {
        var error = Assert.ThrowsAny<ModelException>(() => VisionFolder.Load(folder, CPU));
        Assert.Contains(folder, error.Message, StringComparison.Ordinal);
        return error.Message;
    }
}
