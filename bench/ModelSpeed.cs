using System.Diagnostics;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Bench;

/// <summary>How fast checkpoints run beside each other: one forward pass of each in turn, again and again, in one process.</summary>
public static class ModelSpeed
{
    private const int Rounds = 15;
    private const int Batch = 8;

    /// <param name="folders">Models with one vocabulary; the first is what the others are compared with.</param>
    /// <returns>Tokens per second of each, by the median round.</returns>
    public static double[] Measure(IReadOnlyList<string> folders, int length, int threads)
    {
        set_num_threads(threads);
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        CausalLM[] models = [.. folders.Select(folder => CausalFolder.Load(folder, CPU))];
        try
        {
            var tokens = randint(models.Min(model => model.Config.VocabSize), [Batch, length], dtype: ScalarType.Int64);
            var seconds = models.Select(_ => new List<double>()).ToArray();
            for (var round = -1; round < Rounds; round++)
            {
                for (var i = 0; i < models.Length; i++)
                {
                    var clock = Stopwatch.StartNew();
                    models[i].Forward(tokens).Dispose();
                    if (round >= 0)
                        seconds[i].Add(clock.Elapsed.TotalSeconds);
                }
            }

            return [.. seconds.Select(all => tokens.numel() / all.Order().ElementAt(all.Count / 2))];
        }
        finally
        {
            foreach (var model in models)
                model.Dispose();
        }
    }
}
