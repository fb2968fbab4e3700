using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>An axis of a linear that a unit owns some indices of.</summary>
/// <param name="Linear">Whose weight, and where the axis is its rows, bias.</param>
/// <param name="Axis">0 for rows (outputs), 1 for columns (inputs).</param>
/// <param name="Indices">A unit's, in order.</param>
public sealed record LinearMember(Linear Linear, int Axis, Func<int, IEnumerable<long>> Indices);

/// <summary>The units of one half of a block: KV groups or neurons, whose members are rows and columns of its linears.</summary>
public sealed class LinearSite : UnitSite
{
    internal LinearSite(string name, UnitKind kind, int block, int count, IReadOnlyList<LinearMember> linears)
        : base(name, kind, count, [.. linears.SelectMany(Slots)]) => (Block, Linears) = (block, linears);

    /// <summary>The index of the block.</summary>
    public int Block { get; }

    public IReadOnlyList<LinearMember> Linears { get; }

    /// <summary>The linear that reads what the units make: cutting its columns alone silences them.</summary>
    public Linear Reader => Linears.Single(member => member.Axis == 1).Linear;

    /// <summary>The input channels of <see cref="Reader"/> that belong to these units, in order.</summary>
    public long[] ReaderChannels(IEnumerable<int> units)
    {
        var reader = Linears.Single(member => member.Axis == 1);
        return [.. units.SelectMany(reader.Indices)];
    }

    /// <summary>Sums values of each linear's rows or columns over what belongs to a unit.</summary>
    /// <param name="values">Of a member: [rows] or [columns], whichever its axis is.</param>
    /// <returns>[units], of every linear, in order.</returns>
    public IReadOnlyList<Tensor> PerUnit(Func<LinearMember, Tensor> values) =>
        [.. Linears.Select(member => Sum(member.Indices, values(member)))];

    private static IEnumerable<UnitMember> Slots(LinearMember member)
    {
        var linear = member.Linear;
        yield return new UnitMember(
            new TensorSlot($"{linear.Name}.weight", () => linear.Weight, linear.SetWeight), member.Axis,
            member.Axis == 0 ? UnitRole.Output : UnitRole.Input, member.Indices, Uses: 1);
        if (member.Axis == 0 && linear.Bias is not null)
            yield return new UnitMember(new TensorSlot($"{linear.Name}.bias", () => linear.Bias!, linear.SetBias), 0, UnitRole.Bias, member.Indices);
    }
}
