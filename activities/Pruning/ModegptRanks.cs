using Pipelines.Models;

namespace Pipelines.Activities.Pruning;

/// <summary>How narrow a block becomes. Zero where it has no such half.</summary>
/// <param name="RotaryPairs">Of the channels of a query-key head, the pairs that turn.</param>
public sealed record ModegptRanks(int KeyDim, int RotaryPairs, int ValueDim, int Neurons)
{
    /// <summary>
    /// The attention's ranks at the nearest whole channel (pair of channels, where they turn), and as many neurons as the
    /// block's budget then leaves.
    /// </summary>
    /// <param name="rotaryDim">Channels of a whole head that turn.</param>
    /// <param name="ratio">Share of the parameters of the block's linears to remove.</param>
    public static ModegptRanks Of(DecoderBlock block, int rotaryDim, double ratio)
    {
        var (keep, budget) = (1 - ratio, (1 - ratio) * block.Linears.Sum(linear => linear.Weight.numel()));
        var ranks = new ModegptRanks(0, 0, 0, 0);
        if (block.Attention is { } attention)
        {
            var pairs = (int)(attention.RotaryPairs?.shape[1] ?? rotaryDim / 2);
            var plain = attention.KeyDim - 2 * pairs;
            var keptPairs = pairs == 0 ? 0 : Nearest(pairs, keep);
            ranks = ranks with
            {
                RotaryPairs = keptPairs,
                KeyDim = 2 * keptPairs + (plain == 0 ? 0 : Nearest(plain, keep)),
                ValueDim = Nearest(attention.ValueDim, keep),
            };
            budget -= (double)(attention.Query.Weight.numel() + attention.Key.Weight.numel()) * ranks.KeyDim / attention.KeyDim;
            budget -= (double)(attention.Value.Weight.numel() + attention.Output.Weight.numel()) * ranks.ValueDim / attention.ValueDim;
        }

        if (block.Mlp is not { } mlp)
            return ranks;
        var neuron = mlp.Linears.Sum(linear => linear.Weight.numel()) / mlp.IntermediateSize;
        return ranks with { Neurons = (int)Math.Clamp(Math.Round(budget / neuron), 1, mlp.IntermediateSize) };
    }

    private static int Nearest(int whole, double keep) => (int)Math.Clamp(Math.Round(whole * keep), 1, whole);
}
