using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>The upper half of a <see cref="float"/>: its range with 8 bits of precision.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct BFloat16 : IEquatable<BFloat16>
{
    private readonly ushort bits;

    private BFloat16(ushort bits) => this.bits = bits;

    public static BFloat16 FromRawValue(ushort bits) => new(bits);

    /// <summary>Rounds to the nearest, ties to even, as LibTorch does; NaN stays NaN.</summary>
    public static explicit operator BFloat16(float value)
    {
        if (float.IsNaN(value))
            return new(0x7FC0);
        var raw = BitConverter.SingleToUInt32Bits(value);
        return new((ushort)((raw + 0x7FFF + ((raw >> 16) & 1)) >> 16));
    }

    public static explicit operator BFloat16(double value) => (BFloat16)(float)value;

    public static implicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value.bits << 16);

    public static bool operator ==(BFloat16 left, BFloat16 right) => left.Equals(right);

    public static bool operator !=(BFloat16 left, BFloat16 right) => !left.Equals(right);

    public bool Equals(BFloat16 other) => (float)this == other;

    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    public override int GetHashCode() => ((float)this).GetHashCode();

    public override string ToString() => ((float)this).ToString(System.Globalization.CultureInfo.InvariantCulture);
}
