using System.Diagnostics;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>Seconds of one run of a model.</summary>
/// <param name="Prefill">From the prompt to the first new token.</param>
/// <param name="Decode">Each token after it, greedily, all together.</param>
internal readonly record struct Timing(double Prefill, double Decode)
{
    /// <param name="prompt">[B, T], int64.</param>
    public static Timing Of(CausalLM model, Tensor prompt, int generated)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var cache = new KeyValueCache(model, prompt.shape[0], prompt.shape[1] + generated);

        // Their making is no part of a pass.
        model.Positions(cache.Capacity);
        SpeedTurns.Await(model.Device);

        var clock = Stopwatch.StartNew();
        var next = Next(prompt);
        var prefill = clock.Elapsed.TotalSeconds;
        clock.Restart();
        for (var i = 0; i < generated; i++)
        {
            using var step = NewDisposeScope();
            next = Next(next).MoveToOuterDisposeScope();
        }

        return new Timing(prefill, clock.Elapsed.TotalSeconds);

        Tensor Next(Tensor tokens)
        {
            var chosen = model.Unembed(model.Hidden(tokens, cache).narrow(1, -1, 1)).argmax(-1);
            SpeedTurns.Await(model.Device);
            return chosen;
        }
    }
}

/// <summary>What rounds of two models amount to.</summary>
public static class SpeedFigures
{
    /// <param name="dense">Seconds of each round.</param>
    /// <param name="pruned">Of the same rounds.</param>
    /// <param name="count">Tokens or images of one round.</param>
    public static SpeedPair Compare(IReadOnlyList<double> dense, IReadOnlyList<double> pruned, long count) => new(
        Of(dense.Select(seconds => count / seconds)), Of(pruned.Select(seconds => count / seconds)),
        Of(dense.Zip(pruned, (before, after) => before / after)));

    /// <summary>Of an even number the mean of the two in the middle.</summary>
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return new Spread((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2, sorted[0], sorted[^1]);
    }
}
