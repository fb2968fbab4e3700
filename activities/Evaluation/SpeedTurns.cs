using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>
/// Times two models in turns, in one process, so that whatever else the machine does befalls both alike; which goes first
/// changes with every round. What is claimed is the median of the rounds' ratios, with its spread.
/// </summary>
/// <param name="WarmUp">Rounds before those that count.</param>
/// <param name="Rounds">Those that count.</param>
internal sealed record SpeedTurns(int WarmUp, int Rounds)
{
    /// <param name="time">Of one turn of the dense model (0) or of the pruned one (1).</param>
    /// <returns>Of the rounds that count.</returns>
    public (IReadOnlyList<T> Dense, IReadOnlyList<T> Pruned) Run<T>(
        Func<int, T> time, ReportProgress report, CancellationToken cancellation)
    {
        List<T>[] times = [[], []];
        var total = WarmUp + Rounds;
        for (var round = 0; round < total; round++)
        {
            foreach (var model in round % 2 == 0 ? new[] { 0, 1 } : [1, 0])
            {
                cancellation.ThrowIfCancellationRequested();
                var one = time(model);
                if (round >= WarmUp)
                    times[model].Add(one);
            }

            report(round + 1, total, "round");
        }

        return (times[0], times[1]);
    }

    /// <exception cref="StageException">One is a language model, the other an image classifier.</exception>
    public static void CheckPair(Checkpoint dense, Checkpoint pruned)
    {
        if (ImageConfig.Knows(dense.Architecture) != ImageConfig.Knows(pruned.Architecture))
            throw new StageException($"dense is {Family(dense)}, pruned {Family(pruned)}: there is nothing that both could be timed at");
    }

    /// <summary>A GPU is given work faster than it does it.</summary>
    public static void Await(Device device)
    {
        if (device.type == DeviceType.CUDA)
            cuda.synchronize(device);
    }

    private static string Family(Checkpoint model) =>
        (ImageConfig.Knows(model.Architecture) ? "an image classifier" : "a language model") + $" ({model.Architecture})";
}
