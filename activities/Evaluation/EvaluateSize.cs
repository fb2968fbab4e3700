using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>Counts what a model consists of, block by block. Needs no data.</summary>
[Description("Parameters, bytes, operations for a token, and the widths that each block kept")]
public sealed class EvaluateSize : Activity<EvaluateSize.Inputs, EvaluateSize.Parameters, EvaluateSize.Outputs>
{
    /// <param name="Dense">What the model was made of, so that the widths can be set beside those before.</param>
    public sealed record Inputs(Checkpoint Model, Checkpoint? Dense);

    public sealed record Parameters(
        [property: Range(1, 1_000_000), Description("Tokens of the sequence that operations are counted for")] int Length = 2048);

    public sealed record Outputs(ModelSize Size);

    public override string Kind => "evaluate.size";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        var size = Of(model.Network, parameters.Length, model.FileBytes());
        if (inputs.Dense is null)
            return new Outputs(size);
        using var dense = await stage.LoadModelAsync(inputs.Dense, cancellation);
        return new Outputs(size with { Dense = [.. dense.Network.Blocks.Select(Widths)] });
    }

    public static ModelSize Of(CausalLM model, int length, long bytes)
    {
        var config = model.Config;
        return new ModelSize(
            config.Architecture, model.ParameterCount(), model.NonzeroCount(), bytes, ModelFlops.Convention, length,
            ModelFlops.PerToken(model, length),
            [.. model.Blocks.Select((block, index) => Of(block, index, config, length))], Dense: null);
    }

    private static BlockSize Of(DecoderBlock block, int index, CausalConfig config, int length)
    {
        using var scope = NewDisposeScope();
        var tensors = block.NamedParameters(config.Names.Layer(index)).Select(parameter => parameter.Tensor).ToArray();
        return new BlockSize(
            index, Widths(block), tensors.Sum(tensor => tensor.numel()), tensors.Sum(tensor => tensor.count_nonzero().ToInt64()),
            ModelFlops.PerToken(block, config, length));
    }

    private static BlockWidths Widths(DecoderBlock block)
    {
        var (attention, mlp) = (block.Attention, block.Mlp);
        return new BlockWidths(
            attention?.QueryHeads ?? 0, attention?.KeyValueHeads ?? 0, attention?.KeyDim ?? 0, attention?.ValueDim ?? 0,
            mlp?.IntermediateSize ?? 0);
    }
}
