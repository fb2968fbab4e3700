using System.ComponentModel;
using Pipelines.Activities.Allocation;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// What coupled groups are worth, of either family: each tensor of a unit is scored by itself, and the unit by their mean
/// (DepGraph, Fang et al., arXiv:2301.12900, section 3.3, as Torch-Pruning 1.6 computes it). Pure functions, in double precision.
/// </summary>
public static class GroupScores
{
    /// <summary>The units' scores, ready to be ranked; low ones go first.</summary>
    /// <param name="gradient">Of the mean loss, by a tensor's name; for <see cref="GroupImportance.Taylor"/> only.</param>
    /// <param name="stream">Keeps the random scores of different sites apart.</param>
    /// <exception cref="StageException">The site has nothing of what is scored, or a score is no number.</exception>
    public static double[] Of(UnitSite site, GroupImportance importance, Func<string, Tensor>? gradient, long seed, int stream)
    {
        if (importance == GroupImportance.Random)
            return Random(site.Count, seed, stream);
        using var scope = NewDisposeScope();
        var scores = Raw(site, importance, gradient).cpu().data<double>().ToArray();
        if (!scores.All(double.IsFinite))
            throw new StageException($"{site.Name}: its importances are not finite; the model or its gradients hold NaN or infinity");
        return importance == GroupImportance.Lamp ? Lamp(scores) : Normalize(scores);
    }

    /// <summary>The mean over a unit's tensors of what their entries sum up to.</summary>
    /// <returns>[units].</returns>
    /// <exception cref="StageException">The site has nothing of what is scored.</exception>
    public static Tensor Raw(UnitSite site, GroupImportance importance, Func<string, Tensor>? gradient)
    {
        using var scope = NewDisposeScope();
        var scored = site.Members.Where(member => Scores(importance, member.Role))
            .Select(member => site.PerUnit(member, Lines(importance, member.Axis, member.Tensor.Value, gradient?.Invoke(member.Tensor.Name)))).ToArray();
        return scored.Length == 0
            ? throw new StageException($"{site.Name}: has no {(importance == GroupImportance.BnScale ? "batch norm" : "filters")} to score its units by: choose another importance")
            : stack(scored).mean([0L]).MoveToOuterDisposeScope();
    }

    /// <summary>What each row or column of a tensor is worth.</summary>
    /// <param name="weight">[out, in, …], or [C].</param>
    /// <param name="gradient">Of the same shape.</param>
    /// <returns>[rows] or [columns].</returns>
    public static Tensor Lines(GroupImportance importance, int axis, Tensor weight, Tensor? gradient)
    {
        using var scope = NewDisposeScope();
        var w = Flat(weight, axis);
        var lines = importance switch
        {
            GroupImportance.L1 or GroupImportance.BnScale => w.abs().sum([1L]),
            GroupImportance.L2 or GroupImportance.Lamp => w.square().sum([1L]),
            GroupImportance.Taylor => (w * Flat(gradient!, axis)).abs().sum([1L]),
            GroupImportance.Fpgm => cdist(w, w).sum([1L]),
            _ => throw new ArgumentOutOfRangeException(nameof(importance), importance, "it needs no weights"),
        };
        return lines.MoveToOuterDisposeScope();
    }

    /// <summary>As a share of their mean, so that groups of different sizes can be compared; all 0 where the mean is.</summary>
    public static double[] Normalize(IReadOnlyList<double> scores)
    {
        var mean = scores.Average();
        return [.. scores.Select(score => mean == 0 ? 0 : score / mean)];
    }

    /// <summary>
    /// Layer-adaptive magnitudes (Lee et al., arXiv:2010.07611, equation 2) of whole groups: each as a share of all that is at
    /// least as large; of equals the first counts as the smaller.
    /// </summary>
    public static double[] Lamp(IReadOnlyList<double> scores)
    {
        var lamp = new double[scores.Count];
        var sum = 0.0;
        foreach (var unit in Enumerable.Range(0, scores.Count).OrderByDescending(unit => scores[unit]).ThenByDescending(unit => unit))
        {
            sum += scores[unit];
            lamp[unit] = sum == 0 ? 0 : scores[unit] / sum;
        }

        return lamp;
    }

    private static double[] Random(int count, long seed, int stream)
    {
        var random = new SplitMix((ulong)seed, (ulong)stream);
        return [.. Enumerable.Range(0, count).Select(_ => random.Share())];
    }

    private static bool Scores(GroupImportance importance, UnitRole role) => importance switch
    {
        GroupImportance.BnScale => role is UnitRole.Scale,
        GroupImportance.Fpgm => role is UnitRole.Output,

        // Torch-Pruning's numbers are met without the norms' scales.
        GroupImportance.Taylor => role is UnitRole.Output or UnitRole.Input,
        _ => role is UnitRole.Output or UnitRole.Input or UnitRole.Scale,
    };

    /// <returns>[rows, the rest] or [columns, the rest].</returns>
    private static Tensor Flat(Tensor tensor, int axis) => tensor.detach().to(ScalarType.Float64).transpose(0, axis).reshape(tensor.shape[axis], -1);
}

/// <summary>What a unit's tensors are scored by: rows and columns of weights w, scales of norms; G is the loss's gradient.</summary>
public enum GroupImportance
{
    [Description("Σ|w|")]
    L1,

    [Description("Σw²")]
    L2,

    [Description("Σ|w G|, of weights only, on the calibration images (Molchanov et al., arXiv:1906.10771)")]
    Taylor,

    [Description("The norms' scales alone (Network Slimming, arXiv:1708.06519)")]
    BnScale,

    [Description("How far a filter is from the others (FPGM, arXiv:1811.00250)")]
    Fpgm,

    [Description("Σw² as a share of all that is at least as large (LAMP, arXiv:2010.07611)")]
    Lamp,

    [Description("By chance: what any other must beat")]
    Random,
}
