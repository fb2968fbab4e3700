using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models.Vision;

/// <summary>What nodes compute, in training and in evaluation, and what hooks see.</summary>
public sealed class ImageClassifierTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    private static ImageClassifier Norm(double dropout = 0)
    {
        var g = new GraphBuilder(1);
        g.Flatten("flatten", g.Dropout("dropout", g.BatchNorm("bn", g.Image, eps: 0), dropout));
        return VisionFolder.Create(new ImageConfig("Norm", g.Build()), 1);
    }

    // Two images of one pixel: each colour has mean 2 and, of a sample, variance 2.
    private static Tensor Two() => tensor([1f, 1f, 1f, 3f, 3f, 3f], [2, 3, 1, 1]);

    [Fact]
    public void Training_takes_the_batchs_statistics_and_keeps_running_ones()
    {
        using var network = Norm();
        Near([1, 1, 1, 3, 3, 3], network.Forward(Two()));

        network.Training = true;

        Near([-1, -1, -1, 1, 1, 1], network.Forward(Two()));
        Near([0.2, 0.2, 0.2], network["bn.running_mean"]);
        Near([1.1, 1.1, 1.1], network["bn.running_var"]);
        Assert.Equal(1, network["bn.num_batches_tracked"].ToInt64());
        network.Training = false;
        Near([0.8 / Math.Sqrt(1.1), 2.8 / Math.Sqrt(1.1)], network.Forward(Two())[TensorIndex.Colon, 0]);
        Assert.Equal(1, network["bn.num_batches_tracked"].ToInt64());
    }

    [Fact]
    public void Recalibration_is_the_mean_over_batches_and_leaves_the_mode_alone()
    {
        using var network = Norm();
        network["bn.running_mean"].fill_(100);

        BatchNormRecalibration.Run(network, [Two(), Two() + 4]);

        Near([4, 4, 4], network["bn.running_mean"]);
        Near([2, 2, 2], network["bn.running_var"]);
        Assert.Equal(2, network["bn.num_batches_tracked"].ToInt64());
        Assert.False(network.Training || network.CumulativeStatistics);
        Assert.Throws<ModelException>(() => BatchNormRecalibration.Run(network, []));
    }

    [Fact]
    public void Dropout_drops_in_training_only()
    {
        using var network = Norm(dropout: 0.999999);
        Near([1, 1, 1, 3, 3, 3], network.Forward(Two()));

        network.Training = true;

        Near([0, 0, 0, 0, 0, 0], network.Forward(Two()));
    }

    [Fact]
    public void A_padded_shortcut_takes_every_other_pixel_and_zeros_beside_the_channels()
    {
        var g = new GraphBuilder(4);
        g.Flatten("flatten", g.PadShortcut("shortcut", g.Image, 5, 2));
        using var network = VisionFolder.Create(new ImageConfig("Pad", g.Build()), 1);

        var values = network.Forward(arange(48, ScalarType.Float32).view(1, 3, 4, 4));

        Near([0, 0, 0, 0, 0, 2, 8, 10, 16, 18, 24, 26, 32, 34, 40, 42, 0, 0, 0, 0], values);
    }

    [Fact]
    public void Masks_multiply_channels_of_all_images_or_of_each()
    {
        using var network = Norm();
        var masks = new ChannelMasks();
        masks.Write("bn", tensor([1f, 0f, 2f]));
        masks.Read("bn", tensor([1f, 1f, 1f, 2f, 2f, 3f], [2, 3]));
        masks.Read("bn", tensor([1f, 5f, 1f]));

        Near([1, 0, 2, 6, 0, 18], network.Forward(Two(), masks));
    }

    [Fact]
    public void A_hook_sees_every_node_and_may_keep_what_it_sees()
    {
        using var network = TinyClassifiers.Create("cifar-resnet-b");
        var seen = new List<(string Name, long Channels)>();
        Tensor? kept = null;

        network.Forward(TinyClassifiers.Images(network.Config), new OutputHook((node, output) =>
        {
            seen.Add((node.Name, output.shape[1]));
            if (node.Name == "layer1.0.relu1")
                kept = output.DetachFromDisposeScope();
        }));

        Assert.Equal(network.Graph.Nodes.Select(node => (node.Name, (long)node.Channels)), seen);
        Assert.Equal([2, 16, 32, 32], kept!.shape);
        Assert.True(kept.ge(0).all().ToBoolean());
        kept.Dispose();
    }

    [Fact]
    public void A_forward_pass_lets_go_of_what_it_no_longer_needs()
    {
        using var network = TinyClassifiers.Create("cifar-resnet-a");
        var most = 0;
        var images = TinyClassifiers.Images(network.Config);
        using var ungraded = no_grad();

        network.Forward(images, new OutputHook((_, _) => most = Math.Max(most, CurrentDisposeScope!.DisposablesCount)));

        Assert.InRange(most, 1, 4);
    }

    [Fact]
    public void Gradients_reach_every_parameter()
    {
        using var network = TinyClassifiers.Create("mobilenet-v2");
        var parameters = network.NamedParameters().ToArray();
        foreach (var (_, tensor) in parameters)
            tensor.requires_grad_();
        network.Training = true;

        nn.functional.cross_entropy(network.Forward(TinyClassifiers.Images(network.Config, 4)), tensor([1L, 2L, 3L, 4L])).backward();

        Assert.All(parameters, parameter => Assert.True(parameter.Tensor.grad is { } grad && grad.abs().sum().ToDouble() > 0, parameter.Name));
    }

    [Fact]
    public void A_new_network_starts_as_torchvisions_do()
    {
        using var network = VisionFolder.Create(TinyClassifiers.Config("resnet18"), seed: 1);
        using var same = VisionFolder.Create(TinyClassifiers.Config("resnet18"), seed: 1);

        // Normal with variance 2 / (out · 3 · 3); uniform within 1 / √512.
        Assert.Equal(Math.Sqrt(2.0 / (512 * 9)), network["layer4.1.conv2.weight"].std().ToDouble(), 1e-4);
        Assert.InRange(network["fc.weight"].abs().max().ToDouble(), 0.9 / Math.Sqrt(512), 1 / Math.Sqrt(512));
        Assert.InRange(network["fc.bias"].abs().max().ToDouble(), 1e-3, 1 / Math.Sqrt(512));
        Assert.True(network["bn1.weight"].eq(1).all().ToBoolean() && network["bn1.bias"].eq(0).all().ToBoolean());
        Assert.All(network.NamedParameters(), parameter => Assert.True(parameter.Tensor.Equals(same[parameter.Name]), parameter.Name));
    }

    private static void Near(double[] expected, Tensor actual) =>
        Assert.Equal(expected, actual.flatten().to(ScalarType.Float64).data<double>().ToArray(), (one, other) => Math.Abs(one - other) < 1e-5);
}
