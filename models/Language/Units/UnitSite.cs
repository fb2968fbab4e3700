using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>What is removed together, as one.</summary>
public enum UnitKind
{
    /// <summary>A KV head with the query heads that read it: rows of q, k and v, columns of the attention's output.</summary>
    KeyValueGroup,

    /// <summary>Rows of gate and up, a column of down.</summary>
    Neuron,

}

/// <summary>An axis of a tensor that a unit owns some indices of.</summary>
/// <param name="Linear">Whose weight, and where the axis is its rows, bias.</param>
/// <param name="Axis">0 for rows (outputs), 1 for columns (inputs).</param>
/// <param name="Indices">A unit's, in order.</param>
public sealed record UnitMember(Linear Linear, int Axis, Func<int, IEnumerable<long>> Indices);

/// <summary>
/// The coupled groups of one place of a model: units of one kind and cost, each with its share of the tensors' axes. Scores,
/// masks, cuts and budgets all go through it; a method needs to know no architecture.
/// </summary>
public sealed class UnitSite
{
    private readonly IReadOnlyList<UnitMember> members;

    internal UnitSite(string name, UnitKind kind, int block, int count, IReadOnlyList<UnitMember> members)
    {
        (Name, Kind, Block, Count) = (name, kind, block, count);
        this.members = members;
        UnitParameters = members.Sum(member => Size(member, bias: true));
        UnitFlops = 2 * members.Sum(member => Size(member, bias: false));
    }

    /// <summary>The part of the model they are in: <c>model.layers.0.mlp</c>.</summary>
    public string Name { get; }

    public UnitKind Kind { get; }

    /// <summary>The index of the block.</summary>
    public int Block { get; }

    /// <summary>Units that are there now.</summary>
    public int Count { get; private set; }

    /// <summary>Parameters that go with one unit.</summary>
    public long UnitParameters { get; }

    /// <summary>Floating-point operations of its products for one token: two for each weight.</summary>
    public long UnitFlops { get; }

    public IReadOnlyList<UnitMember> Members => members;

    /// <summary>The linear that reads what the units make: cutting its columns alone silences them.</summary>
    public Linear Reader => members.Single(member => member.Axis == 1).Linear;

    /// <summary>The input channels of <see cref="Reader"/> that belong to these units, in order.</summary>
    public long[] ReaderChannels(IEnumerable<int> units)
    {
        var reader = members.Single(member => member.Axis == 1);
        return [.. units.SelectMany(reader.Indices)];
    }

    /// <summary>Cuts the tensors down to these units, in their order.</summary>
    /// <exception cref="ModelException">There is no such unit, none is kept, or one is named twice.</exception>
    public void Keep(IReadOnlyList<int> units)
    {
        if (units.Count == 0 || units.Distinct().Count() != units.Count || units.Any(unit => unit < 0 || unit >= Count))
            throw new ModelException($"{Name}: cannot keep units [{string.Join(", ", units)}] of {Count}: expected at least one, each once");
        using var scope = NewDisposeScope();
        foreach (var member in members)
        {
            var index = tensor(units.SelectMany(member.Indices).ToArray(), device: member.Linear.Weight.device);
            member.Linear.SetWeight(member.Linear.Weight.index_select(member.Axis, index));
            if (member.Axis == 0 && member.Linear.Bias is { } bias)
                member.Linear.SetBias(bias.index_select(0, index));
        }

        Count = units.Count;
    }

    /// <summary>Zeroes everything that belongs to these units; the shapes stay.</summary>
    public void Zero(IReadOnlyList<int> units)
    {
        using var scope = NewDisposeScope();
        foreach (var member in members)
        {
            var index = tensor(units.SelectMany(member.Indices).ToArray(), device: member.Linear.Weight.device);
            member.Linear.SetWeight(member.Linear.Weight.index_fill(member.Axis, index, 0));
            if (member.Axis == 0 && member.Linear.Bias is { } bias)
                member.Linear.SetBias(bias.index_fill(0, index, 0));
        }
    }

    /// <summary>Sums values of each member's rows or columns over what belongs to a unit.</summary>
    /// <param name="values">Of a member: [rows] or [columns], whichever its axis is.</param>
    /// <returns>[units], of every member, in order.</returns>
    public IReadOnlyList<Tensor> PerUnit(Func<UnitMember, Tensor> values)
    {
        using var scope = NewDisposeScope();
        return
        [
            .. members.Select(member =>
            {
                var all = values(member);
                var index = tensor(Enumerable.Range(0, Count).SelectMany(member.Indices).ToArray(), device: all.device);
                return all.index_select(0, index).view(Count, -1).sum([1L]).MoveToOuterDisposeScope();
            }),
        ];
    }

    private static long Size(UnitMember member, bool bias)
    {
        var weight = member.Linear.Weight;
        long indices = member.Indices(0).Count();
        return indices * weight.shape[1 - member.Axis] + (bias && member.Axis == 0 && member.Linear.Bias is not null ? indices : 0);
    }
}
