using Pipelines.Activities.Calibration;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Finetuning;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Workflows;
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

    public static readonly string[] Methods = ["forward", "train", "wanda", DenseWanda, "sparsegpt", "flap"];

    /// <param name="folder">A model.</param>
    /// <param name="path">A safetensors file with <c>tokens</c> [sequences, length].</param>
    public static Measured Run(string method, string folder, string path, int threads)
    {
        set_num_threads(threads);
        using var model = CausalFolder.Load(folder, CPU);
        using var file = SafetensorsFile.Open(path);
        using var tokens = file.View("tokens");
        return SideBySide.Time(tokens.numel(), () => method switch
        {
            "forward" => Forward(model, tokens),
            "train" => Train(model, tokens),
            "wanda" => Wanda(model, tokens),
            DenseWanda => WandaByDenseStatistics(model, folder, tokens),
            "sparsegpt" => SparseGpt(model, tokens),
            "flap" => Flap(model, folder, tokens),
            _ => throw new ArgumentException($"no method '{method}': expected one of {string.Join(", ", Methods)}"),
        });
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
        InScratch(folder => WandaPrune.Run(model, tokens, 0.5, null, (_, _, _, _) => { }, CancellationToken.None, scratch: folder));
        return Zeros(model);
    }

    private static double WandaByDenseStatistics(CausalLM model, string folder, Tensor tokens)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        Calibrate(folder, tokens, new StatisticsPlan(StatisticKinds.MeanSquare), (statistics, stage) => WandaPrune.Run(
            model, statistics, 0.5, null, (_, _, _, _) => { }, CancellationToken.None, scratch: stage.Scratch));
        return Zeros(model);
    }

    private static double SparseGpt(CausalLM model, Tensor tokens)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        InScratch(folder => SparseGptPrune.Run(model, tokens, new SparseGptOptions(0.5), (_, _, _, _) => { }, CancellationToken.None, scratch: folder));
        return Zeros(model);
    }

    private static double Flap(CausalLM model, string folder, Tensor tokens)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var plan = new StatisticsPlan(
            StatisticKinds.Mean | StatisticKinds.MeanSquare | StatisticKinds.Fluctuation, LinearRoles.Output | LinearRoles.Down);
        Calibrate(folder, tokens, plan, (statistics, stage) =>
        {
            var kept = FlapPrune.Decide([.. model.Sites()], statistics.Fluctuation, statistics.MeanSquare, new FlapPrune.Parameters(0.2));
            new PruningDecision("bench", "prune.flap", kept).Apply(model, statistics.Mean, stage, CancellationToken.None);
        });
        return Kept(model);
    }

    /// <summary>As <c>calibrate.statistics</c> does, without an engine.</summary>
    private static void Calibrate(string folder, Tensor tokens, StatisticsPlan plan, Action<StatisticsFile, StageContext> prune) => InScratch(scratch =>
    {
        var stage = new StageContext(Guid.Empty, "bench", 1, null!, "cpu", scratch, _ => { }, _ => { }, new NoCheckpoints());
        var blocks = new StatisticsRunner(folder, plan, stage, CancellationToken.None).Run(tokens);
        StatisticsFile.Join(scratch, blocks, new CalibrationIdentity("bench", "bench", tokens.shape[0], tokens.shape[1], null, plan));
        using var statistics = StatisticsFile.Open(scratch, "bench");
        prune(statistics, stage);
    });

    private static void InScratch(Action<string> work)
    {
        var folder = Directory.CreateTempSubdirectory("pipelines-bench-").FullName;
        try
        {
            work(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class NoCheckpoints : ICheckpoints
    {
        public StageCheckpoint? Latest => null;

        public bool Due(TimeSpan interval) => false;

        public void Save(long steps, Action<string> write)
        {
        }
    }

    /// <summary>Where they are, in one number.</summary>
    private static double Zeros(CausalLM model) => model.Linears().Sum(linear =>
    {
        using var scope = NewDisposeScope();
        return (double)linear.Weight.eq(0).reshape(-1).nonzero().sum().ToInt64();
    });

    /// <summary>How much each reader reads, and what was put into its bias.</summary>
    private static double Kept(CausalLM model) => model.Blocks
        .SelectMany(block => new[] { block.Attention!.Output, block.Mlp!.Down })
        .Sum(linear => linear.Weight.shape[1] + linear.Bias!.to(ScalarType.Float64).abs().sum().ToDouble());
}
