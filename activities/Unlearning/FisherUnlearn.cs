using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Allocation;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Unlearning;

/// <summary>
/// Fisher forgetting (Golatkar et al., arXiv:1911.04933): adds noise to every parameter, the more, the less the answers to
/// retained images depend on it. Nothing is trained. Zeroed weights stay zero.
/// </summary>
[Description("Forgets by noise on the parameters that retained images do not depend on")]
public sealed class FisherUnlearn : Activity<FisherUnlearn.Inputs, FisherUnlearn.Parameters, FisherUnlearn.Outputs>
{
    // Apart from other uses of the seed.
    private const ulong Stream = 0x6669_7368_6572;

    /// <param name="Retained">Images that are not to be forgotten.</param>
    public sealed record Inputs(Checkpoint Model, Images Retained);

    public sealed record Parameters(
        [property: Range(0.0, 1.0), Description("α: the noise's variance at a Fisher information of 1")] double Strength = 1e-6,
        [property: Range(0.1, 2.0), Description("Of the inverse information in the variance: 1 as released, 0.5 by the paper's equation")] double Power = 1,
        [property: Range(1.0, 1e12), Description("What the inverse is cut to")] double Most = 1e3,
        [property: Range(1, 10_000_000), Description("Retained images that the information is taken of, drawn by the seed")] int Samples = 1000,
        [property: Description("Which classes an image's gradients are taken for")] FisherLabels Labels = FisherLabels.Drawn,
        [property: Description("Of the images, the classes and the noise")] long Seed = 0);

    /// <param name="Seconds">That it took, without loading and saving.</param>
    public sealed record Outputs(Checkpoint Model, double Seconds);

    public override string Kind => "unlearn.fisher";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Retained, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        network.CheckFits(images.Info);
        var seconds = Forget(network, images, parameters, stage, cancellation);
        return new Outputs(await stage.SaveClassifierAsync(network, cancellation), seconds);
    }

    private static double Forget(
        ImageClassifier network, ImageSet images, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var vector = new ParameterVector(network);
        var information = zeros(vector.Count, dtype: ScalarType.Float64, device: vector.Device);
        var samples = Math.Min(parameters.Samples, images.Count);
        var order = new EpochOrder(checked((int)images.Count), parameters.Seed);
        var seconds = new KeptSums([("information", information)]).Run(
            samples, "image",
            sample =>
            {
                var input = ImageBatch.Of(network, images, order.At(sample), 1).Inputs;
                using var ungraded = no_grad();
                information.add_(Squares(network, vector, input, parameters.Labels, new SplitMix((ulong)parameters.Seed ^ Stream, (ulong)sample)));
            },
            stage, cancellation);
        information.div_(samples);
        using var generator = new Generator((ulong)parameters.Seed, CPU);
        var noise = empty([vector.Count], ScalarType.Float64).normal_(generator: generator).to(vector.Device);
        var deviation = new FisherNoise(parameters.Strength, parameters.Power, parameters.Most).Variance(information).sqrt();
        stage.Log($"noise of a standard deviation of {deviation.mean().ToDouble():0.###e0} in the mean, {deviation.max().ToDouble():0.###e0} at most");
        vector.Add(noise * deviation);
        return seconds;
    }

    /// <summary>Squared gradients of the log-probabilities of one image's classes, each as much as the network thinks of it.</summary>
    /// <param name="input">[1, 3, H, W].</param>
    /// <returns>[parameters], float64.</returns>
    internal static Tensor Squares(ImageClassifier network, ParameterVector vector, Tensor input, FisherLabels labels, SplitMix random)
    {
        using var scope = NewDisposeScope();
        using var graded = enable_grad();
        var answers = network.Forward(input).log_softmax(1)[0];
        double[] probabilities = [.. answers.detach().to(ScalarType.Float64).exp().cpu().data<double>()];
        if (labels == FisherLabels.Drawn)
        {
            var drawn = Draw(probabilities, random.Share());
            return vector.Gradient(answers[drawn]).to(ScalarType.Float64).square().MoveToOuterDisposeScope();
        }

        var sum = zeros(vector.Count, dtype: ScalarType.Float64, device: vector.Device);
        for (var label = 0; label < probabilities.Length; label++)
        {
            using var inner = NewDisposeScope();
            var gradient = vector.Gradient(answers[label], again: label + 1 < probabilities.Length);
            sum.add_(gradient.to(ScalarType.Float64).square() * probabilities[label]);
        }

        return sum.MoveToOuterDisposeScope();
    }

    private static int Draw(double[] probabilities, double share)
    {
        var left = share * probabilities.Sum();
        for (var label = 0; label < probabilities.Length - 1; label++)
        {
            left -= probabilities[label];
            if (left < 0)
                return label;
        }

        return probabilities.Length - 1;
    }
}

/// <summary>Which classes the Fisher information of an image is taken over: by its definition the network's own answers.</summary>
public enum FisherLabels
{
    [Description("One, drawn by the network's probabilities: right in the mean, and as fast as can be")]
    Drawn,

    [Description("All, weighed by the network's probabilities: exact, and slower by the number of classes")]
    Expected,
}
