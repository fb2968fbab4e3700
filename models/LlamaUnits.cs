using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// The coupled groups of a Llama's block, which only go together: a KV group (a KV head with the query heads that read
/// it: rows of q, k and v, columns of o) and a neuron (a row of gate and of up, a column of down).
/// </summary>
public static class LlamaUnits
{
    /// <summary>Parameters of one KV group of this block.</summary>
    public static long GroupCost(LlamaBlock block)
    {
        var (hidden, shared) = (block.Query.Weight.shape[1], block.QueryHeads / block.KeyValueHeads);
        return hidden * block.HeadDim * (2 * shared + 2);
    }

    /// <summary>Parameters of one neuron of this block.</summary>
    public static long NeuronCost(LlamaBlock block) => 3 * block.Gate.Weight.shape[1];

    /// <summary>The input channels of <c>o_proj</c> that belong to these KV groups, in order.</summary>
    public static long[] OutputChannels(LlamaBlock block, IEnumerable<int> groups) =>
        Channels(groups, block.QueryHeads / block.KeyValueHeads * block.HeadDim);

    /// <summary>Cuts the block down to these KV groups, in their order.</summary>
    public static void KeepGroups(LlamaBlock block, IReadOnlyList<int> groups)
    {
        var queries = OutputChannels(block, groups);
        var keys = Channels(groups, block.HeadDim);
        CutRows(block.Query, queries);
        CutRows(block.Key, keys);
        CutRows(block.Value, keys);
        CutColumns(block.Output, queries);
    }

    /// <summary>Cuts the block down to these neurons, in their order.</summary>
    public static void KeepNeurons(LlamaBlock block, IReadOnlyList<int> neurons)
    {
        var kept = Channels(neurons, 1);
        CutRows(block.Gate, kept);
        CutRows(block.Up, kept);
        CutColumns(block.Down, kept);
    }

    private static long[] Channels(IEnumerable<int> units, int width) =>
        [.. units.SelectMany(unit => Enumerable.Range(0, width).Select(channel => (long)unit * width + channel))];

    private static void CutRows(Linear linear, long[] rows)
    {
        using var index = tensor(rows, device: linear.Weight.device);
        linear.SetWeight(linear.Weight.index_select(0, index));
        if (linear.Bias is { } bias)
            linear.SetBias(bias.index_select(0, index));
    }

    private static void CutColumns(Linear linear, long[] columns)
    {
        using var index = tensor(columns, device: linear.Weight.device);
        linear.SetWeight(linear.Weight.index_select(1, index));
    }
}
