using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// SliceGPT (Ashkboos et al., arXiv:2401.15024): turns the residual stream into its principal components before and
/// within each block, and cuts the last ones off everywhere. Shortcuts join the different bases.
/// </summary>
[Description("Turns the residual stream into its principal components and cuts off the weakest; shortcuts join the bases")]
public sealed class SlicegptPrune : Activity<SlicegptPrune.Inputs, SlicegptPrune.Parameters, SlicegptPrune.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Calibration);

    public sealed record Parameters(
        [property: Range(0.0, 0.95), Description("Share of the residual stream's channels to cut; shortcuts take back some of what that saves")]
        double Slicing = 0.25,
        [property: Range(1, 1024), Description("The width is rounded down to a multiple of this")] int Round = 8,
        [property: Description("Whether each row of the embedding loses its mean first")] SlicegptEmbedding Embedding = SlicegptEmbedding.Centered,
        [property: Range(1, 1_000_000), Description("Calibration sequences, at most")] int Sequences = 128);

    /// <param name="Kept">Share of the blocks' parameters that is left, shortcuts counted.</param>
    public sealed record Outputs(Checkpoint Model, double Kept);

    public override string Kind => "prune.slicegpt";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var tokens = await stage.TokensAsync(inputs.Calibration, model, parameters.Sequences, cancellation);
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        var before = model.BlockParameters();
        var width = Width(model.Network.Config.HiddenSize, parameters.Slicing, parameters.Round);
        stage.Log($"{width} of {model.Network.Config.HiddenSize} channels stay");
        Slicegpt.Fuse(model.Network, parameters.Embedding);
        Slicegpt.Run(model.Network, tokens, width, stage.Report, cancellation);
        return new Outputs(await stage.SaveModelAsync(model, cancellation), (double)model.BlockParameters() / before);
    }

    /// <exception cref="StageException">Nothing would be left.</exception>
    public static int Width(int hidden, double slicing, int round)
    {
        // 0.3 · 10 is a little under 3 in binary: what is meant is 3.
        var width = (int)(hidden * (1 - slicing) + 1e-9) / round * round;
        return width > 0 ? width : throw new StageException($"nothing would be left of {hidden} channels: slice less than {slicing}, or round to less than {round}");
    }
}

/// <summary>What happens to the embedding before it is turned.</summary>
public enum SlicegptEmbedding
{
    [Description("Each row loses its mean, as the released code does for every model; only layer norms make nothing of it, and need it")]
    Centered,

    [Description("It stays as it is, which is exact for RMS norms")]
    Kept,
}
