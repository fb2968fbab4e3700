using Pipelines.Activities.Gates;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// Masks over the linears of a model that tighten while it trains. What is zeroed stays zero: its gradient is zeroed, and
/// the optimizer forgets what it knew of it.
/// </summary>
internal sealed class GradualMasks : StepWork, IDisposable
{
    private readonly Linear[] linears;
    private readonly Tensor[] keeps;
    private readonly int[] places;
    private readonly SparsitySchedule schedule;
    private readonly int interval;
    private readonly MagnitudeScope ranking;

    /// <param name="trained">In the optimizer's order; the linears' weights are among them.</param>
    /// <param name="interval">Steps from one tightening to the next.</param>
    public GradualMasks(CausalLM model, IReadOnlyList<Tensor> trained, SparsitySchedule schedule, int interval, MagnitudeScope ranking)
    {
        (this.schedule, this.interval, this.ranking) = (schedule, interval, ranking);
        linears = [.. model.Linears().Where(linear => linear.Shared is null)];
        keeps = [.. linears.Select(linear => linear.Weight.ne(0).to(linear.Weight.dtype).DetachFromDisposeScope())];
        var trainedAt = new Dictionary<Tensor, int>(ReferenceEqualityComparer.Instance);
        foreach (var (index, tensor) in trained.Index())
            trainedAt[tensor] = index;
        places = [.. linears.Select(linear => trainedAt[linear.Weight])];
        if (schedule.Initial > 0)
            Zero(schedule.Initial);
    }

    public override IReadOnlyList<(string Name, Tensor Tensor)> Kept =>
        [.. linears.Zip(keeps, (linear, keep) => (linear.Name, keep))];

    public override void BeforeUpdate(int index)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        foreach (var (linear, keep) in linears.Zip(keeps))
            linear.Weight.grad?.mul_(keep);
    }

    public override void AfterUpdate(int index, OptimizerHelper optimizer)
    {
        if ((index + 1) % interval != 0 && index + 1 != schedule.Steps - schedule.CoolDown)
            return;
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        Zero(schedule.At(index + 1));
        var states = optimizer.state_dict().State;
        foreach (var (keep, place) in keeps.Zip(places))
        {
            var state = (Adam.State)states[place];
            state.exp_avg.mul_(keep);
            state.exp_avg_sq.mul_(keep);
        }
    }

    /// <summary>Zeroed weights are the smallest there are, so none of them comes back.</summary>
    private void Zero(double sparsity)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        Tensor[] scores = [.. linears.Select(linear => linear.Weight.detach().abs().to(ScalarType.Float32).reshape(-1))];
        Tensor[] masks = ranking == MagnitudeScope.PerLayer
            ? [.. scores.Select(score => SmallestScores.Overall(score, (long)(score.numel() * sparsity)))]
            : Together(scores, sparsity);
        foreach (var ((linear, keep), mask) in linears.Zip(keeps).Zip(masks))
        {
            keep.masked_fill_(mask.view(keep.shape), 0);
            linear.Weight.mul_(keep);
        }
    }

    private static Tensor[] Together(Tensor[] scores, double sparsity)
    {
        var all = cat(scores);
        return SmallestScores.Overall(all, (long)(all.numel() * sparsity)).split([.. scores.Select(score => score.numel())]);
    }

    public void Dispose()
    {
        foreach (var keep in keeps)
            keep.Dispose();
    }
}
