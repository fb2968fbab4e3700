namespace Pipelines.Models;

/// <summary>What a tensor's axis is to a unit.</summary>
public enum UnitRole
{
    /// <summary>Rows of a weight, which make the unit's output.</summary>
    Output,

    /// <summary>Columns of a weight, which read it.</summary>
    Input,

    /// <summary>Entries of the bias beside <see cref="Output"/>.</summary>
    Bias,

    /// <summary>Of a norm.</summary>
    Scale,

    /// <summary>Of a norm.</summary>
    Shift,

    /// <summary>Running statistics of a norm: cut with the unit, but no parameters.</summary>
    Statistic,

    /// <summary>Entries of a list of indices that are the unit's.</summary>
    Entry,

    /// <summary>Values of a list of indices that name the unit's channels; −1 stands for a channel that is gone.</summary>
    Value,
}

/// <summary>An axis of a tensor that a unit owns some indices of.</summary>
/// <param name="Axis">0 for rows (outputs), 1 for columns (inputs).</param>
/// <param name="Indices">A unit's, in order.</param>
/// <param name="Uses">Multiply-adds of a forward pass for each entry: positions of a convolution's output; 1 of a linear; 0 of what is no product.</param>
public sealed record UnitMember(TensorSlot Tensor, int Axis, UnitRole Role, Func<int, IEnumerable<long>> Indices, double Uses = 0)
{
    /// <summary>Whether it is counted as a parameter.</summary>
    public bool IsParameter => Role is not (UnitRole.Statistic or UnitRole.Entry or UnitRole.Value);

    /// <summary>Entries of the tensor that go with one unit.</summary>
    public long Size => Indices(0).Count() * (Tensor.Value.numel() / Math.Max(1, Tensor.Value.shape[Axis]));
}
