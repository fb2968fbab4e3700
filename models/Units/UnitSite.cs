using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>What is removed together, as one.</summary>
public enum UnitKind
{
    /// <summary>A KV head with the query heads that read it: rows of q, k and v, columns of the attention's output.</summary>
    KeyValueGroup,

    /// <summary>Rows of gate and up, a column of down.</summary>
    Neuron,

    /// <summary>A channel of feature maps: filters, norms, and what reads them.</summary>
    Channel,
}

/// <summary>
/// The coupled groups of one place of a model: units of one kind and cost, each with its share of the tensors' axes. Scores,
/// masks, cuts and budgets all go through it; a method needs to know no architecture.
/// </summary>
public class UnitSite
{
    private readonly Func<bool>? isCurrent;

    /// <param name="isCurrent">Whether the members' indices still hold; null where they always do.</param>
    internal UnitSite(string name, UnitKind kind, int count, IReadOnlyList<UnitMember> members, Func<bool>? isCurrent = null)
    {
        (Name, Kind, Count, Members) = (name, kind, count, members);
        this.isCurrent = isCurrent;
        UnitParameters = members.Where(member => member.IsParameter).Sum(member => member.Size);
        UnitMacs = members.Sum(member => member.Size * member.Uses);
    }

    /// <summary>The part of the model they are in: <c>model.layers.0.mlp</c>, or the convolution that makes them: <c>layer1.0.conv1</c>.</summary>
    public string Name { get; }

    public UnitKind Kind { get; }

    /// <summary>Units that are there now.</summary>
    public int Count { get; private set; }

    /// <summary>Each axis once; a weight whose rows and columns both belong to the units is there twice.</summary>
    public IReadOnlyList<UnitMember> Members { get; }

    /// <summary>Parameters that go with one unit.</summary>
    public long UnitParameters { get; }

    /// <summary>Multiply-adds that go with one unit: for one token, or for one image.</summary>
    public double UnitMacs { get; }

    /// <summary>The same as floating-point operations: two for each multiply-add.</summary>
    public double UnitFlops => 2 * UnitMacs;

    /// <summary>Cuts the tensors down to these units, in their order.</summary>
    /// <exception cref="ModelException">There is no such unit, none is kept, or one is named twice.</exception>
    public void Keep(IReadOnlyList<int> units) => UnitCut.Keep([(this, units)]);

    /// <summary>Zeroes all parameters that belong to these units, and takes from lists what they would pass on; the shapes stay.</summary>
    public void Zero(IReadOnlyList<int> units)
    {
        CheckCurrent();
        using var scope = NewDisposeScope();
        foreach (var member in Members.Where(member => member.IsParameter || member.Role == UnitRole.Entry))
        {
            var index = tensor(units.SelectMany(member.Indices).ToArray(), device: member.Tensor.Value.device);
            member.Tensor.Set(member.Tensor.Value.index_fill(member.Axis, index, member.Role == UnitRole.Entry ? -1 : 0));
        }
    }

    /// <summary>Sums values along a member's axis over what belongs to a unit.</summary>
    /// <param name="values">[rows] or [columns] of the member's tensor, whichever its axis is.</param>
    /// <returns>[units].</returns>
    public Tensor PerUnit(UnitMember member, Tensor values) => Sum(member.Indices, values);

    internal void CheckCurrent()
    {
        if (isCurrent?.Invoke() == false)
            throw new InvalidOperationException($"{Name}: the model was cut after its sites were asked for: ask again");
    }

    internal void Check(IReadOnlyList<int> units)
    {
        CheckCurrent();
        if (units.Count == 0 || units.Distinct().Count() != units.Count || units.Any(unit => unit < 0 || unit >= Count))
            throw new ModelException($"{Name}: cannot keep units [{string.Join(", ", units)}] of {Count}: expected at least one, each once");
    }

    internal void SetCount(int count) => Count = count;

    private protected Tensor Sum(Func<int, IEnumerable<long>> indices, Tensor values)
    {
        CheckCurrent();
        using var scope = NewDisposeScope();
        var index = tensor(Enumerable.Range(0, Count).SelectMany(indices).ToArray(), device: values.device);
        return values.index_select(0, index).view(Count, -1).sum([1L]).MoveToOuterDisposeScope();
    }
}
