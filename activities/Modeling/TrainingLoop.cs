using System.Diagnostics;
using Pipelines.Models;
using Pipelines.Workflows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>Steps of AdamW on next-token loss, with linear warm-up and cosine decay to a tenth.</summary>
/// <param name="Steps">How many.</param>
/// <param name="Rate">The highest learning rate.</param>
/// <param name="WeightDecay">AdamW's.</param>
public sealed record TrainingLoop(int Steps, double Rate, double WeightDecay)
{
    private static readonly TimeSpan BetweenCheckpoints = TimeSpan.FromMinutes(1);

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
        CancellationToken cancellation, StepWork? work = null)
    {
        using var whole = NewDisposeScope();
        Parameter[] trained = [.. parameters.Select(parameter => nn.Parameter(parameter.alias()))];
        using var optimizer = optim.AdamW(trained, Rate, beta1: 0.9, beta2: 0.95, weight_decay: WeightDecay);
        var state = new TrainingState(trained, optimizer, work?.Kept ?? []);
        var first = state.Restore(stage.Checkpoints.Latest);
        if (first > 0)
            stage.Log($"goes on after step {first}");
        var clock = Stopwatch.StartNew();
        var tokens = 0L;
        for (var step = first; step < Steps; step++)
        {
            using var scope = NewDisposeScope();
            foreach (var group in optimizer.ParamGroups)
                group.LearningRate = RateAt(step);
            var batch = batches.At(step);
            optimizer.zero_grad();
            var loss = lossOf(batch, step);
            loss.backward();
            work?.BeforeUpdate(step);
            nn.utils.clip_grad_norm_(trained, 1.0);
            optimizer.step();
            work?.AfterUpdate(step, optimizer);

            var value = loss.ToDouble();
            if (!double.IsFinite(value))
                throw new StageException($"step {step + 1}: the loss is {value}; try a lower learning rate than {Rate}");
            state.Add(value);
            tokens += batch.numel();
            stage.Report(step + 1, Steps, "step", ("loss", value), ("tokens/s", tokens / clock.Elapsed.TotalSeconds));
            if (stage.Checkpoints.Due(BetweenCheckpoints))
                stage.Checkpoints.Save(step + 1, state.Save);
            cancellation.ThrowIfCancellationRequested();
        }

        return state.RecentLoss;
    }

    private double RateAt(int step)
    {
        var warmup = Math.Max(1, Steps / 20);
        if (step < warmup)
            return Rate * (step + 1) / warmup;
        var done = (double)(step - warmup) / Math.Max(1, Steps - warmup);
        return Rate * (0.1 + 0.9 * 0.5 * (1 + Math.Cos(Math.PI * done)));
    }
}
