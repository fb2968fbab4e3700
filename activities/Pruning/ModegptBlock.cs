using Pipelines.Activities.Calibration;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>MoDeGPT's decompositions on a block: which rows and columns, and where biases go.</summary>
public static class ModegptBlock
{
    public static void Narrow(
        DecoderBlock block, int rotaryDim, ModegptRanks ranks, StatisticsFile statistics, ModegptPrune.Parameters parameters)
    {
        if (block.Attention is { } attention)
        {
            ValueOutput(attention, ranks.ValueDim, statistics.Gram(attention.Value.Name), parameters.ValueRidge);
            QueryKey(attention, rotaryDim, ranks, statistics.Heads(attention.Query.Name), statistics.Heads(attention.Key.Name));

            // A model whose config knows no output biases has them in both halves or in none.
            if (block.Mlp is { Down: { Bias: null } down } && attention.Output.Bias is { } bias)
                down.SetBias(zeros_like(bias));
        }

        if (block.Mlp is { } mlp)
            Neurons(mlp, ranks.Neurons, statistics.Gram(mlp.Down.Name), parameters);
    }

    private static void Neurons(Mlp mlp, int rank, Tensor gram, ModegptPrune.Parameters parameters)
    {
        using var scope = NewDisposeScope();
        gram = OnDevice(gram, mlp.Down);
        if (gram.diagonal().max().ToDouble() == 0)
            throw new StageException($"{mlp.Down.Name}: its input is 0 on the whole calibration set");
        var kept = Largest(ModegptSolves.Leverage(gram, parameters.LeverageRidge), rank);
        var down = ModegptSolves.Nystrom(mlp.Down.Weight, gram, kept, parameters.NystromRidge);
        mlp.Down.SetWeight(down.to(mlp.Down.Weight.dtype));
        foreach (var linear in mlp.Linears.Where(linear => linear != mlp.Down))
            KeepRows(linear, kept);
    }

    private static void QueryKey(Attention attention, int rotaryDim, ModegptRanks ranks, Tensor query, Tensor key)
    {
        if (ranks.KeyDim == attention.KeyDim)
            return;
        using var scope = NewDisposeScope();
        var scores = ModegptSolves.ChannelScores(OnDevice(query, attention.Query), OnDevice(key, attention.Key));
        var (groups, dim) = (scores.shape[0], scores.shape[1]);
        var pairs = attention.RotaryPairs?.shape[1] ?? rotaryDim / 2;
        var chosen = new List<Tensor>();
        Tensor? turning = null;
        if (pairs > 0)
        {
            // The two channels of a pair turn together, so they stay or go together.
            var together = scores.narrow(1, 0, pairs) + scores.narrow(1, pairs, pairs);
            var first = stack([.. Enumerable.Range(0, (int)groups).Select(group => Largest(together[group], ranks.RotaryPairs))]);
            turning = attention.RotaryPairs?.gather(1, first) ?? first;
            chosen.AddRange([first, first + pairs]);
        }

        if (dim > 2 * pairs)
        {
            var plain = scores.narrow(1, 2 * pairs, dim - 2 * pairs);
            chosen.Add(2 * pairs + stack(
                [.. Enumerable.Range(0, (int)groups).Select(group => Largest(plain[group], ranks.KeyDim - 2 * ranks.RotaryPairs))]));
        }

        // [KV heads, KeyDim]: channels within a head; query heads in a row share those of their KV head.
        var channels = cat([.. chosen], 1);
        KeepRows(attention.Query, Rows(channels.repeat_interleave(attention.QueryHeads / groups, 0), dim));
        KeepRows(attention.Key, Rows(channels, dim));
        attention.KeyDim = ranks.KeyDim;
        if (turning is not null)
            attention.SetRotaryPairs(turning);
    }

    private static void ValueOutput(Attention attention, int rank, Tensor gram, double ridge)
    {
        using var scope = NewDisposeScope();
        gram = OnDevice(gram, attention.Value);
        var (value, output) = (attention.Value, attention.Output);
        var (groups, dim, width) = (attention.KeyValueHeads, attention.ValueDim, output.Weight.shape[0]);
        var shared = attention.QueryHeads / groups;
        FoldBias(attention);

        var values = value.Weight.view(groups, dim, -1);
        var outputs = output.Weight.view(width, groups, shared, dim).permute(1, 2, 0, 3);
        var (narrowValues, narrowOutputs) = (new List<Tensor>(), new List<Tensor>());
        for (var group = 0; group < groups; group++)
        {
            var (v, o) = ModegptSolves.ValueOutput(values[group], outputs[group], gram, rank, ridge);
            narrowValues.Add(v);
            narrowOutputs.Add(o);
        }

        var type = value.Weight.dtype;
        value.SetWeight(cat([.. narrowValues]).to(type));
        output.SetWeight(cat([.. narrowOutputs]).permute(1, 0, 2).reshape(width, -1).to(type));
        if (value.Bias is not null)
            value.SetBias(zeros(groups * rank, dtype: type, device: value.Weight.device));
        attention.ValueDim = rank;
    }

    /// <summary>A value's bias passes the softmax as it is, whose rows sum to 1: it becomes a constant of the output.</summary>
    private static void FoldBias(Attention attention)
    {
        if (attention.Value.Bias is not { } bias)
            return;
        var shared = attention.QueryHeads / attention.KeyValueHeads;
        var heads = bias.to(ScalarType.Float64).view(attention.KeyValueHeads, -1).repeat_interleave(shared, 0).reshape(-1);
        var constant = attention.Output.Weight.to(ScalarType.Float64).mv(heads).to(bias.dtype);
        attention.Output.SetBias(attention.Output.Bias is { } old ? old + constant : constant);
    }

    private static void KeepRows(Linear linear, Tensor rows)
    {
        linear.SetWeight(linear.Weight.index_select(0, rows));
        if (linear.Bias is { } bias)
            linear.SetBias(bias.index_select(0, rows));
    }

    /// <summary>Rows of a projection: those of each head by their channels in it.</summary>
    private static Tensor Rows(Tensor channels, long dim) =>
        (channels + arange(channels.shape[0], dtype: ScalarType.Int64, device: channels.device).mul(dim).view(-1, 1)).reshape(-1);

    /// <summary>Indices of the largest, in ascending order; of equals the first.</summary>
    private static Tensor Largest(Tensor scores, int count)
    {
        var values = scores.cpu().data<double>().ToArray();
        long[] kept = [.. Enumerable.Range(0, values.Length).OrderByDescending(index => values[index]).Take(count).Order().Select(index => (long)index)];
        return tensor(kept, device: scores.device);
    }

    private static Tensor OnDevice(Tensor statistic, Linear linear) => statistic.to(linear.Weight.device);
}
