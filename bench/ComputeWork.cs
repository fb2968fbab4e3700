using System.Diagnostics;
using Pipelines.Activities.Calibration;
using Pipelines.Activities.Finetuning;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Bench;

/// <summary>
/// Our side of the compute bench: the same work on the same files as peers/compute.py, in a process of its own.
/// </summary>
public static class ComputeWork
{
    /// <summary>
    /// Wanda by the dense model's statistics, which runs each block once. The reference has no such way: it is compared
    /// with the reference's own, and its masks are others.
    /// </summary>
    public const string DenseWanda = "wanda-dense";

    private const long Together = 4;

    public static readonly string[] Methods = ["forward", "train", "wanda", DenseWanda];

    /// <param name="folder">A model.</param>
    /// <param name="path">A safetensors file with <c>tokens</c> [sequences, length].</param>
    public static Measured Run(string method, string folder, string path, int threads)
    {
        set_num_threads(threads);
        using var model = CausalFolder.Load(folder, CPU);
        using var file = SafetensorsFile.Open(path);
        using var tokens = file.View("tokens");
        var clock = Stopwatch.StartNew();
        var result = method switch
        {
            "forward" => Forward(model, tokens),
            "train" => Train(model, tokens),
            "wanda" => Wanda(model, tokens),
            DenseWanda => WandaByDenseStatistics(model, tokens),
            _ => throw new ArgumentException($"no method '{method}': expected one of {string.Join(", ", Methods)}"),
        };
        var seconds = clock.Elapsed.TotalSeconds;
        return new Measured(seconds, tokens.numel() / seconds, PeakMegabytes(), result);
    }

    private static double Forward(CausalLM model, Tensor tokens)
    {
        using var ungraded = no_grad();
        var sum = 0.0;
        foreach (var batch in tokens.split(Together))
        {
            using var scope = NewDisposeScope();
            sum += model.Forward(batch).narrow(1, tokens.shape[1] - 1, 1).to(ScalarType.Float64).sum().ToDouble();
        }

        return sum;
    }

    private static double Train(CausalLM model, Tensor tokens)
    {
        using var whole = NewDisposeScope();
        Parameter[] trained =
            [.. Adapters.Attach(model, rank: 8, alpha: 16, seed: 0, masked: false).Select(tensor => nn.Parameter(tensor.alias()))];
        using var optimizer = optim.AdamW(trained, 1e-3);
        var last = 0.0;
        foreach (var batch in tokens.split(Together))
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var loss = model.NextTokenLoss(batch);
            loss.backward();
            optimizer.step();
            last = loss.ToDouble();
        }

        return last;
    }

    private static double Wanda(CausalLM model, Tensor tokens)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        WandaPrune.Run(model, tokens, 0.5, null, (_, _, _, _) => { }, CancellationToken.None);
        return Zeros(model);
    }

    private static double WandaByDenseStatistics(CausalLM model, Tensor tokens)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var all = CalibrateStatistics.Measure(model, tokens, (_, _, _, _) => { }, CancellationToken.None);
        foreach (var (linear, (_, moments)) in model.Linears().Zip(all.Moments))
            WandaPrune.Prune(linear, moments.MeanSquare, 0.5, null);
        return Zeros(model);
    }

    /// <summary>Where they are, in one number.</summary>
    private static double Zeros(CausalLM model) =>
        model.Linears().Sum(linear => (double)linear.Weight.eq(0).reshape(-1).nonzero().sum().ToInt64());

    /// <summary>Of this process, as the kernel counts it.</summary>
    internal static double PeakMegabytes()
    {
        var line = File.ReadLines("/proc/self/status").First(status => status.StartsWith("VmHWM:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], null) / 1024;
    }
}

/// <param name="TokensPerSecond">Of the calibration or training set, each token once.</param>
/// <param name="PeakMb">Resident memory of the whole process at its highest, MiB.</param>
/// <param name="Result">What both sides must agree on: a sum of logits, the last loss, where the zeros are.</param>
public sealed record Measured(double Seconds, double TokensPerSecond, double PeakMb, double Result);
