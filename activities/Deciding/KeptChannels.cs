using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Deciding;

/// <summary>The half of a block.</summary>
public enum BlockHalf
{
    Attention,
    Mlp,
}

/// <summary>Channels of the residual stream that one half of a block still reads and still writes, in ascending order.</summary>
/// <param name="Of">The width of the stream.</param>
public sealed record KeptChannels(int Block, BlockHalf Half, int Of, IReadOnlyList<int> Reads, IReadOnlyList<int> Writes)
{
    /// <summary>Cuts columns of what reads and rows of what writes, and notes which are left.</summary>
    /// <exception cref="StageException">The model has no such half, or its channels were cut before.</exception>
    internal void Apply(CausalLM model)
    {
        if (Halves(model, Block).FirstOrDefault(one => one.Half == Half) is not { Writer: not null } half)
            throw new StageException($"the decision cuts the {Half} of block {Block}, which this model does not have");
        if (half.Readers.Append(half.Writer).Any(linear => linear.Reads is not null || linear.Writes is not null))
            throw new StageException($"{half.Writer.Name}: its channels were cut before; that cannot be done again");
        if (half.Writer.Weight.shape[0] != Of || Bad(Reads) || Bad(Writes))
            throw new StageException($"{half.Writer.Name}: the decision keeps channels of {Of}, this model has {half.Writer.Weight.shape[0]}");
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        foreach (var reader in half.Readers)
        {
            var reads = Index(Reads, reader);
            reader.SetWeight(reader.Weight.index_select(1, reads));
            reader.SetReads(reads);
        }

        var writes = Index(Writes, half.Writer);
        half.Writer.SetWeight(half.Writer.Weight.index_select(0, writes));
        if (half.Writer.Bias is { } bias)
            half.Writer.SetBias(bias.index_select(0, writes));
        half.Writer.SetWrites(writes, Of);
    }

    /// <summary>The halves that a block has: the linears that read the stream, and the one that writes to it.</summary>
    public static IEnumerable<(BlockHalf Half, IReadOnlyList<Linear> Readers, Linear Writer)> Halves(CausalLM model, int block)
    {
        if (block < 0 || block >= model.Blocks.Count)
            yield break;
        if (model.Blocks[block].Attention is { } attention)
            yield return (BlockHalf.Attention, [attention.Query, attention.Key, attention.Value], attention.Output);
        if (model.Blocks[block].Mlp is { } mlp)
            yield return (BlockHalf.Mlp, mlp.Gate is null ? [mlp.Up] : [mlp.Gate, mlp.Up], mlp.Down);
    }

    private static Tensor Index(IReadOnlyList<int> channels, Linear linear) =>
        tensor(channels.Select(channel => (long)channel).ToArray(), device: linear.Weight.device);

    private bool Bad(IReadOnlyList<int> channels) =>
        channels.Count == 0 || channels.Distinct().Count() != channels.Count || channels.Any(channel => channel < 0 || channel >= Of);
}
