namespace Pipelines.Models;

/// <summary>
/// What a model costs when only so many units of its sites are left: exactly, for a weight loses rows to one site and columns
/// to another, so that the costs of units do not add up.
/// </summary>
/// <param name="tensors">All parameters: name, shape, and the multiply-adds for each entry.</param>
public sealed class UnitCosts(IEnumerable<(string Name, long[] Shape, double Uses)> tensors)
{
    private readonly (string Name, long[] Shape, double Uses)[] tensors = [.. tensors];

    /// <summary>Before anything is cut.</summary>
    public UnitCost Whole => After([], []);

    /// <param name="kept">Of each site, how many units are left.</param>
    public UnitCost After(IReadOnlyList<UnitSite> sites, IReadOnlyList<int> kept)
    {
        var removed = new Dictionary<(string, int), long>();
        foreach (var (site, left) in sites.Zip(kept))
        {
            foreach (var member in site.Members.Where(member => member.IsParameter))
            {
                var axis = (member.Tensor.Name, member.Axis);
                removed[axis] = removed.GetValueOrDefault(axis) + (site.Count - left) * (long)member.Indices(0).Count();
            }
        }

        var (parameters, macs) = (0L, 0.0);
        foreach (var (name, shape, uses) in tensors)
        {
            var entries = 1L;
            for (var axis = 0; axis < shape.Length; axis++)
                entries *= shape[axis] - removed.GetValueOrDefault((name, axis));
            parameters += entries;
            macs += entries * uses;
        }

        return new UnitCost(parameters, macs);
    }
}

/// <param name="Macs">Multiply-adds of a forward pass.</param>
public sealed record UnitCost(long Parameters, double Macs);
