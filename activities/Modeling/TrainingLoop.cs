using System.ComponentModel;
using System.Diagnostics;
using Pipelines.Models;
using Pipelines.Workflows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>Steps of AdamW, by default with linear warm-up and cosine decay to a tenth.</summary>
/// <param name="Steps">How many.</param>
/// <param name="Rate">The highest learning rate.</param>
/// <param name="WeightDecay">AdamW's.</param>
public sealed record TrainingLoop(int Steps, double Rate, double WeightDecay)
{
    private static readonly TimeSpan BetweenCheckpoints = TimeSpan.FromMinutes(1);

    public RateSchedule Schedule { get; init; } = RateSchedule.Cosine;

    /// <summary>AdamW's for the second moment.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>The norm that the gradient is cut to.</summary>
    public double Clip { get; init; } = 1.0;

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
        using var whole = NewDisposeScope();
        Parameter[][] grouped = [.. groups.Select(group => group.Parameters.Select(one => nn.Parameter(one.alias())).ToArray())];
        Parameter[] trained = [.. grouped.SelectMany(group => group)];
        using var optimizer = optim.AdamW(
            grouped.Zip(groups, (parameters, group) => new AdamW.ParamGroup(
                parameters, Rate, beta1: 0.9, beta2: Beta2, weight_decay: group.WeightDecay)));
        var state = new TrainingState(trained, optimizer, work?.Kept ?? []);
        var first = state.Restore(stage.Checkpoints.Latest);
        if (first > 0)
            stage.Log($"goes on after step {first}");
        var clock = Stopwatch.StartNew();
        var tokens = 0L;
        for (var step = first; step < Steps; step++)
        {
            using var scope = NewDisposeScope();
            var batch = batchAt(step);
            optimizer.zero_grad();
            var loss = lossOf(batch, step);
            loss.backward();
            foreach (var (index, options) in optimizer.ParamGroups.Index())
            {
                options.LearningRate = groups[index].RateAt(step);
                if (options.LearningRate == 0)
                    Rest(grouped[index]);
            }

            work?.BeforeUpdate(step);
            nn.utils.clip_grad_norm_(trained, Clip);
            optimizer.step();
            work?.AfterUpdate(step, optimizer);

            var value = loss.ToDouble();
            if (!double.IsFinite(value))
                throw new StageException($"step {step + 1}: the loss is {value}; try a lower learning rate than {Rate}");
            state.Add(value);
            tokens += batch.numel();
            stage.Report(
                step + 1, Steps, "step", [("loss", value), ("tokens/s", tokens / clock.Elapsed.TotalSeconds), .. Figures?.Invoke() ?? []]);
            if (stage.Checkpoints.Due(BetweenCheckpoints))
                stage.Checkpoints.Save(step + 1, state.Save);
            cancellation.ThrowIfCancellationRequested();
        }

        return state.RecentLoss;
    }

    // Without a gradient AdamW passes a parameter over: neither it nor its moments change.
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
        var warmup = Math.Max(1, Steps / 20);
        if (step < warmup)
            return Rate * (step + 1) / warmup;
        var done = (double)(step - warmup) / Math.Max(1, Steps - warmup);
        return Rate * (0.1 + 0.9 * 0.5 * (1 + Math.Cos(Math.PI * done)));
    }
}

/// <summary>Parameters that learn at a rate of their own.</summary>
/// <param name="Parameters">In an order that is the same in every attempt.</param>
/// <param name="RateAt">Of a step from 0; at 0 they rest, and AdamW's moments of them as well.</param>
public sealed record TrainedGroup(IEnumerable<Tensor> Parameters, Func<int, double> RateAt, double WeightDecay);

/// <summary>How a learning rate goes.</summary>
public enum RateSchedule
{
    [Description("Linear warm-up, then down to a tenth along a cosine")]
    Cosine,

    [Description("The same at every step")]
    Constant,
}
