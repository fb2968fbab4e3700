using System.ComponentModel;
using System.Diagnostics;
using Pipelines.Models;
using Pipelines.Workflows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>Steps of AdamW or SGD, by default of AdamW, with linear warm-up and cosine decay to a tenth.</summary>
/// <param name="Steps">How many.</param>
/// <param name="Rate">The highest learning rate.</param>
/// <param name="WeightDecay">The optimizer's.</param>
public sealed record TrainingLoop(int Steps, double Rate, double WeightDecay)
{
    private static readonly TimeSpan BetweenCheckpoints = TimeSpan.FromMinutes(1);

    public RateSchedule Schedule { get; init; } = RateSchedule.Cosine;

    /// <summary>Steps in which the rate rises to its highest; null for a twentieth of all, and one at least.</summary>
    public int? Warmup { get; init; }

    /// <summary>What a cosine ends at, as a share of the rate.</summary>
    public double Floor { get; init; } = 0.1;

    /// <summary>In place of AdamW.</summary>
    public Momentum? Sgd { get; init; }

    /// <summary>AdamW's for the second moment.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>The norm that the gradient is cut to; infinite to leave it.</summary>
    public double Clip { get; init; } = 1.0;

    /// <summary>What speed is counted in, with <see cref="StepLoss.Counted"/>.</summary>
    public string Unit { get; init; } = "tokens";

    /// <summary>Of the step just taken, shown beside the loss; null for none.</summary>
    public Func<IReadOnlyList<(string Name, double Value)>>? Figures { get; init; }

    /// <summary>
    /// Goes on from the stage's checkpoint, if there is one, and saves more as it goes: the result has the same bits,
    /// however often it was interrupted.
    /// </summary>
    /// <param name="parameters">What is trained; the rest of the model stays as it is.</param>
    /// <returns>The mean loss of the last steps.</returns>
    /// <exception cref="StageException">The loss is no longer a number, or the checkpoint is of another model.</exception>
    public double Run(
        CausalLM model, IEnumerable<Tensor> parameters, TokenBatches batches, StageContext stage, CancellationToken cancellation) =>
        Run((batch, _) => model.NextTokenLoss(batch), parameters, batches, stage, cancellation);

    /// <summary>The same on a loss of one's own.</summary>
    /// <param name="lossOf">Of a batch of tokens [B, T], int64, and the step from 0: a scalar that can be differentiated.</param>
    /// <param name="work">What else is done in every step; null for nothing.</param>
    public double Run(
        Func<Tensor, int, Tensor> lossOf, IEnumerable<Tensor> parameters, TokenBatches batches, StageContext stage,
        CancellationToken cancellation, StepWork? work = null) =>
        Run(lossOf, [new TrainedGroup(parameters, RateAt, WeightDecay)], batches.At, stage, cancellation, work);

    /// <summary>The same with parameters that do not all learn at once.</summary>
    /// <param name="batchAt">Of a step, [B, T].</param>
    public double Run(
        Func<Tensor, int, Tensor> lossOf, IReadOnlyList<TrainedGroup> groups, Func<long, Tensor> batchAt, StageContext stage,
        CancellationToken cancellation, StepWork? work = null)
    {
        return Run(LossAt, groups, stage, cancellation, work);

        StepLoss LossAt(int step)
        {
            var batch = batchAt(step);
            return new StepLoss(lossOf(batch, step), batch.numel());
        }
    }

    /// <summary>The same on whatever batches.</summary>
    /// <param name="lossAt">Of a step from 0.</param>
    public double Run(
        Func<int, StepLoss> lossAt, IReadOnlyList<TrainedGroup> groups, StageContext stage, CancellationToken cancellation,
        StepWork? work = null)
    {
        using var whole = NewDisposeScope();
        Parameter[][] grouped = [.. groups.Select(group => group.Parameters.Select(one => nn.Parameter(one.alias())).ToArray())];
        Parameter[] trained = [.. grouped.SelectMany(group => group)];
        using var optimizer = Optimizer(grouped, groups);
        var state = new TrainingState(trained, optimizer, work?.Kept ?? [], work?.Optimizers ?? []);
        var first = state.Restore(stage.Checkpoints.Latest);
        if (first > 0)
            stage.Log($"goes on after step {first}");
        var clock = Stopwatch.StartNew();
        var counted = 0L;
        for (var step = first; step < Steps; step++)
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var (loss, count) = lossAt(step);
            loss.backward();
            foreach (var (index, options) in optimizer.ParamGroups.Index())
            {
                options.LearningRate = groups[index].RateAt(step);
                if (options.LearningRate == 0)
                    Rest(grouped[index]);
            }

            work?.BeforeUpdate(step);
            if (double.IsFinite(Clip))
                nn.utils.clip_grad_norm_(trained, Clip);
            optimizer.step();
            work?.AfterUpdate(step, optimizer);

            var value = loss.ToDouble();
            if (!double.IsFinite(value))
                throw new StageException($"step {step + 1}: the loss is {value}; try a lower learning rate than {Rate}");
            state.Add(value);
            counted += count;
            stage.Report(
                step + 1, Steps, "step", [("loss", value), ($"{Unit}/s", counted / clock.Elapsed.TotalSeconds), .. Figures?.Invoke() ?? []]);
            if (stage.Checkpoints.Due(BetweenCheckpoints))
                stage.Checkpoints.Save(step + 1, state.Save);
            cancellation.ThrowIfCancellationRequested();
        }

        return state.RecentLoss;
    }

    private OptimizerHelper Optimizer(Parameter[][] grouped, IReadOnlyList<TrainedGroup> groups)
    {
        if (Sgd is not { } sgd)
        {
            return optim.AdamW(grouped.Zip(groups, (parameters, group) => new AdamW.ParamGroup(
                parameters, Rate, beta1: 0.9, beta2: Beta2, weight_decay: group.WeightDecay)));
        }

        return optim.SGD(
            grouped.Zip(groups, (parameters, group) => new SGD.ParamGroup(
                parameters, Rate, sgd.Share, weight_decay: group.WeightDecay, nesterov: sgd.Nesterov)), Rate);
    }

    // Without a gradient an optimizer passes a parameter over: neither it nor its moments change.
    private static void Rest(IEnumerable<Parameter> parameters)
    {
        foreach (var parameter in parameters)
            parameter.grad = null;
    }

    /// <summary>The learning rate of a step from 0.</summary>
    public double RateAt(int step)
    {
        if (Schedule == RateSchedule.Constant)
            return Rate;
        var warmup = Warmup ?? Math.Max(1, Steps / 20);
        if (step < warmup)
            return Rate * (step + 1) / warmup;
        if (Schedule == RateSchedule.Steps)
            return Rate * (step < Steps / 2 ? 1 : step < Steps * 3L / 4 ? 0.1 : 0.01);
        var done = (double)(step - warmup) / Math.Max(1, Steps - warmup);
        return Rate * (Floor + (1 - Floor) * 0.5 * (1 + Math.Cos(Math.PI * done)));
    }
}

/// <summary>Parameters that learn at a rate of their own.</summary>
/// <param name="Parameters">In an order that is the same in every attempt.</param>
/// <param name="RateAt">Of a step from 0; at 0 they rest, and AdamW's moments of them as well.</param>
public sealed record TrainedGroup(IEnumerable<Tensor> Parameters, Func<int, double> RateAt, double WeightDecay);

/// <summary>A step's loss.</summary>
/// <param name="Loss">A scalar that can be differentiated.</param>
/// <param name="Counted">What it was taken over: tokens, images.</param>
public readonly record struct StepLoss(Tensor Loss, long Counted);

/// <summary>Of SGD.</summary>
/// <param name="Share">Of the last update in the next one; 0 for none.</param>
/// <param name="Nesterov">Whether the gradient is taken to be where the momentum leads.</param>
public sealed record Momentum(double Share, bool Nesterov);

/// <summary>How a learning rate goes.</summary>
public enum RateSchedule
{
    [Description("Linear warm-up, then down along a cosine")]
    Cosine,

    [Description("Linear warm-up, a tenth from the half on, a hundredth from three quarters on")]
    Steps,

    [Description("The same at every step")]
    Constant,
}
