using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Unlearning;

/// <summary>
/// Influence unlearning (Koh and Liang, arXiv:1703.04730; Jia et al., arXiv:2304.04934): one Newton step to where the optimum would lie without the forgotten images,
/// <c>θ + α F⁻¹ (N_f/N) (ḡ_f − ḡ_r)</c>, with a Fisher information of retained images for the Hessian. Zeroed weights stay zero.
/// </summary>
[Description("Forgets by one step that estimates where training without the forgotten images would have ended")]
public sealed class InfluenceUnlearn : Activity<InfluenceUnlearn.Inputs, InfluenceUnlearn.Parameters, InfluenceUnlearn.Outputs>
{
    /// <param name="Forgotten">Images that are to be forgotten.</param>
    /// <param name="Retained">All others that it was trained on.</param>
    public sealed record Inputs(Checkpoint Model, Images Forgotten, Images Retained);

    public sealed record Parameters(
        [property: Range(0.0, 1000.0), Description("α: how far the step goes; 1 is what theory asks for, and networks bear far less")] double Strength = 0.01,
        [property: Range(1e-8, 1000.0), Description("λ: added to the Fisher information, so that it can be inverted")] double Damping = 0.01,
        [property: Range(1, 100_000), Description("Retained images whose gradients make up the Fisher information, drawn by the seed; each takes four bytes for a parameter")]
        int Samples = 256,
        [property: Range(1, 65536), Description("Images that mean gradients are taken over together; changes the result by roundings only")] int Batch = 250,
        [property: Description("Of the images")] long Seed = 0);

    /// <param name="Change">The step's length over that of all parameters.</param>
    /// <param name="Seconds">That it took, without loading and saving.</param>
    public sealed record Outputs(Checkpoint Model, double Change, double Seconds);

    public override string Kind => "unlearn.influence";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var forgotten = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Forgotten, cancellation);
        using var retained = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Retained, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        network.CheckFits(forgotten.Info);
        network.CheckFits(retained.Info);
        var (change, seconds) = Forget(network, forgotten, retained, parameters, stage, cancellation);
        return new Outputs(await stage.SaveClassifierAsync(network, cancellation), change, seconds);
    }

    private static (double Change, double Seconds) Forget(
        ImageClassifier network, ImageSet forgotten, ImageSet retained, Parameters parameters, StageContext stage,
        CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var vector = new ParameterVector(network);
        var samples = (int)Math.Min(parameters.Samples, retained.Count);
        stage.Log($"{samples} gradients of {vector.Count:N0} parameters: {samples * vector.Count * 4 / 1e6:N0} MB");
        Tensor sumForgotten = Sum(), sumRetained = Sum();
        var gradients = zeros([samples, vector.Count], ScalarType.Float32, vector.Device);
        var order = new EpochOrder(checked((int)retained.Count), parameters.Seed);
        var (first, second) = (Batches(forgotten), Batches(retained));
        var seconds = new KeptSums([("forgotten", sumForgotten), ("retained", sumRetained), ("gradients", gradients)])
            .Run(first + second + samples, "batch", Step, stage, cancellation);

        // 1/N − w, with w = 1/N_r on what is retained and 0 on what is not.
        var (f, r) = ((double)forgotten.Count, (double)retained.Count);
        var direction = sumForgotten / (f + r) - sumRetained * (f / ((f + r) * r));
        var change = InverseFisher.Times(gradients, direction, parameters.Damping) * parameters.Strength;
        var length = network.NamedParameters().Sum(parameter => parameter.Tensor.detach().square().sum().ToDouble());
        vector.Add(change);
        return (change.norm().ToDouble() / Math.Sqrt(length), seconds);

        Tensor Sum() => zeros(vector.Count, dtype: ScalarType.Float64, device: vector.Device);

        long Batches(ImageSet images) => (images.Count + parameters.Batch - 1) / parameters.Batch;

        void Step(long at)
        {
            if (at < first)
                Accumulate(sumForgotten, Gradient(forgotten, at * parameters.Batch, parameters.Batch));
            else if (at < first + second)
                Accumulate(sumRetained, Gradient(retained, (at - first) * parameters.Batch, parameters.Batch));
            else
                Keep(at - first - second);
        }

        void Accumulate(Tensor sum, Tensor gradient)
        {
            using var ungraded = no_grad();
            sum.add_(gradient);
        }

        void Keep(long sample)
        {
            var gradient = Gradient(retained, order.At(sample), 1);
            using var ungraded = no_grad();
            gradients[(int)sample].copy_(gradient);
        }

        // Of the sum of the cross-entropies.
        Tensor Gradient(ImageSet images, long start, long count)
        {
            var batch = ImageBatch.Of(network, images, start, count);
            var loss = nn.functional.cross_entropy(network.Forward(batch.Inputs), batch.Labels);
            return vector.Gradient(loss * batch.Count);
        }
    }
}
