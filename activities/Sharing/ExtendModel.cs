using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Sharing;

/// <summary>
/// FlexiGPT's other direction (arXiv:2501.14713, section 4.4): a model becomes deeper by blocks that use the weights of its
/// own with a difference of low rank, to be trained from there.
/// </summary>
[Description("Makes a model deeper by repeating its blocks with shared weights and low-rank differences")]
public sealed class ExtendModel : Activity<ExtendModel.Inputs, ExtendModel.Parameters, ExtendModel.Outputs>
{
    public sealed record Inputs(Checkpoint Model);

    public sealed record Parameters(
        [property: Range(2, 1024), Description("Blocks that the model shall have")] int Layers,
        [property: Description("Where the repetitions go")] RepeatOrder Order = RepeatOrder.Block,
        [property: Range(0, 4096), Description("Rank of the difference of each linear; 0 for none")] int Rank = 16,
        [property: Range(0.0, 10.0), Description("Gain of the output norms at the start: small, so that little changes before training")] double Gain = 0.01,
        [property: Description("Of the differences' initial values")] long Seed = 0);

    public sealed record Outputs(Checkpoint Model);

    public override string Kind => "model.extend";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var ungraded = no_grad();
        Extend(model.Network, parameters);
        stage.Log($"{model.Network.Blocks.Count} blocks");
        return new Outputs(await stage.SaveModelAsync(model, cancellation));
    }

    /// <exception cref="StageException">The model has as many blocks already, or would need blocks repeated more than once.</exception>
    public static void Extend(CausalLM model, Parameters parameters)
    {
        var (has, more) = (model.Blocks.Count, parameters.Layers - model.Blocks.Count);
        if (more <= 0 || more > has)
            throw new StageException($"the model has {has} blocks and each is repeated once at most: layers is {parameters.Layers}, expected {has + 1} to {2 * has}");
        using var generator = new Generator((ulong)parameters.Seed, CPU);

        // The last ones are repeated where not all are: what they do changes the stream least (ShortGPT's finding).
        foreach (var owner in Enumerable.Range(has - more, more).Reverse())
        {
            var repeated = SharedBlock.Repeat(model, owner, parameters.Rank, parameters.Gain, generator);
            model.InsertBlock(parameters.Order == RepeatOrder.Block ? owner + 1 : has, repeated);
        }
    }
}

/// <summary>Where repeated blocks go.</summary>
public enum RepeatOrder
{
    [Description("Each behind the block that it repeats")]
    Block,

    [Description("All behind the last block, in their order")]
    Sequential,
}
