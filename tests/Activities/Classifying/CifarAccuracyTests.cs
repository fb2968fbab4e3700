using Pipelines.Activities.Data;
using Pipelines.Activities.Evaluation;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Classifying;

/// <summary>Pretrained networks on CIFAR-10's test images, against the numbers of an independent implementation.</summary>
public sealed class CifarAccuracyTests
{
    [Theory]
    [InlineData("cifar10-resnet20", 8103)]
    [InlineData("cifar10-resnet56", 8320)]
    public void A_pretrained_network_recognises_as_many_images_as_elsewhere(string name, int right)
    {
        var source = new CifarSource([Golden.Shared("data/cifar10/test_batch.bin")], hundred: false, coarse: false);
        using var scope = NewDisposeScope();
        using var images = ImageReading.Read(
            source, new ImageChoice(null, null, null, false, 0), (_, _, _, _) => { }, TestContext.Current.CancellationToken);
        using var network = VisionFolder.Load(Golden.Shared($"models/{name}"), CPU);

        var tally = EvaluateAccuracy.Run(network, images, 250, (_, _, _, _) => { }, TestContext.Current.CancellationToken);

        Assert.Equal(10_000, tally.Count);
        Assert.Equal(right, (int)Math.Round(tally.Top1 * tally.Count));
    }
}
