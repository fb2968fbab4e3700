using TorchSharp.Interop;

namespace TorchSharp;

/// <summary>A number whose type LibTorch sees: an integer, a real number or a boolean.</summary>
public sealed class Scalar : IDisposable
{
    private Scalar(ValueKind kind, long bits, torch.ScalarType type)
    {
        Kind = kind;
        Bits = bits;
        Type = type;
    }

    public torch.ScalarType Type { get; }

    internal ValueKind Kind { get; }

    internal long Bits { get; }

    public static implicit operator Scalar(byte value) => new(ValueKind.Int, value, torch.ScalarType.Int64);
    public static implicit operator Scalar(sbyte value) => new(ValueKind.Int, value, torch.ScalarType.Int64);
    public static implicit operator Scalar(short value) => new(ValueKind.Int, value, torch.ScalarType.Int64);
    public static implicit operator Scalar(int value) => new(ValueKind.Int, value, torch.ScalarType.Int64);
    public static implicit operator Scalar(long value) => new(ValueKind.Int, value, torch.ScalarType.Int64);
    public static implicit operator Scalar(Half value) => (double)value;
    public static implicit operator Scalar(BFloat16 value) => (double)(float)value;
    public static implicit operator Scalar(float value) => (double)value;
    public static implicit operator Scalar(double value) =>
        new(ValueKind.Double, BitConverter.DoubleToInt64Bits(value), torch.ScalarType.Float64);
    public static implicit operator Scalar(bool value) =>
        new(ValueKind.Bool, value ? 1 : 0, torch.ScalarType.Bool);

    /// <summary>Nothing to release: it is here because TorchSharp's scalars are disposed.</summary>
    public void Dispose()
    {
    }
}
