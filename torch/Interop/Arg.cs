using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace TorchSharp.Interop;

/// <summary>
/// An operator's argument. It holds the object and not its handle, so that a tensor that nobody else refers to is not
/// finalized while the operator runs.
/// </summary>
internal readonly struct Arg
{
    private readonly object? reference;
    private readonly long bits;
    private readonly ValueKind kind;

    private Arg(ValueKind kind, long bits = 0, object? reference = null)
    {
        this.kind = kind;
        this.bits = bits;
        this.reference = reference;
    }

    /// <summary>The default that the operator's schema gives.</summary>
    public static Arg Default => default;

    /// <summary>No value, where the schema has <c>?</c>.</summary>
    public static Arg None => new(ValueKind.None);

    public Tensor? Tensor => reference as Tensor;

    public IReadOnlyList<Tensor?> Tensors => reference switch
    {
        Tensor?[] list => list,
        Tensor one => [one],
        _ => [],
    };

    public static implicit operator Arg(Tensor? value) => value is null ? None : new(ValueKind.Tensor, 0, value);
    public static implicit operator Arg(Tensor?[] value) => new(ValueKind.TensorList, 0, value);
    public static implicit operator Arg(long value) => new(ValueKind.Int, value);
    public static implicit operator Arg(long? value) => value is { } given ? given : None;
    public static implicit operator Arg(bool value) => new(ValueKind.Bool, value ? 1 : 0);
    public static implicit operator Arg(double value) => new(ValueKind.Double, BitConverter.DoubleToInt64Bits(value));
    public static implicit operator Arg(double? value) => value is { } given ? given : None;
    public static implicit operator Arg(long[]? value) => value is null ? None : new(ValueKind.IntList, 0, value);
    public static implicit operator Arg(double[] value) => new(ValueKind.DoubleList, 0, value);
    public static implicit operator Arg(bool[] value) => new(ValueKind.BoolList, 0, value);
    public static implicit operator Arg(string? value) => value is null ? None : new(ValueKind.String, 0, value);
    public static implicit operator Arg(ScalarType value) => (long)value;
    public static implicit operator Arg(ScalarType? value) => (long?)value;
    public static implicit operator Arg(Device? value) => value is null ? None : new(ValueKind.Device, 0, value);
    public static implicit operator Arg(Generator? value) =>
        value is null ? None : new(ValueKind.Generator, 0, value);
    public static implicit operator Arg(Scalar? value) => value is null ? None : new(value.Kind, value.Bits);

    /// <exception cref="ArgumentException">No operator takes an object of this type.</exception>
    public static Arg From(object? value) => value switch
    {
        null => None,
        Tensor one => one,
        Tensor?[] list => list,
        int number => (long)number,
        long number => number,
        float number => (double)number,
        double number => number,
        bool truth => truth,
        long[] list => list,
        double[] list => list,
        bool[] list => list,
        string text => text,
        ScalarType dtype => dtype,
        Device device => device,
        Generator generator => generator,
        Scalar scalar => scalar,
        _ => throw new ArgumentException($"an operator cannot be given a {value.GetType()}"),
    };

    /// <summary>8-byte words of scratch memory that <see cref="Write"/> needs.</summary>
    public int Words => kind switch
    {
        ValueKind.IntList => ((long[])reference!).Length,
        ValueKind.DoubleList => ((double[])reference!).Length,
        ValueKind.TensorList => ((Tensor?[])reference!).Length,
        ValueKind.BoolList => ((bool[])reference!).Length / 8 + 1,
        ValueKind.String => Encoding.UTF8.GetMaxByteCount(((string)reference!).Length) / 8 + 1,
        _ => 0,
    };

    public void KeepAlive() => GC.KeepAlive(reference);

    /// <summary>Writes the value for C++, lists into <paramref name="scratch"/>; returns the words used.</summary>
    /// <exception cref="ObjectDisposedException">A tensor was disposed.</exception>
    public unsafe int Write(NativeValue* value, long* scratch)
    {
        value->Kind = kind;
        value->Length = 0;
        switch (kind)
        {
            case ValueKind.Tensor:
                value->Pointer = ((Tensor)reference!).Handle;
                return 0;
            case ValueKind.Generator:
                value->Pointer = ((Generator)reference!).Handle;
                return 0;
            case ValueKind.Device:
                var device = (Device)reference!;
                value->Length = (int)device.type;
                value->Integer = device.index;
                return 0;
            case ValueKind.IntList or ValueKind.DoubleList or ValueKind.BoolList:
                value->Length = ((Array)reference!).Length;
                value->Pointer = (nint)scratch;
                return CopyList(scratch);
            case ValueKind.TensorList:
                var tensors = (Tensor?[])reference!;
                for (var i = 0; i < tensors.Length; i++)
                    scratch[i] = tensors[i]?.Handle ?? 0;
                value->Length = tensors.Length;
                value->Pointer = (nint)scratch;
                return tensors.Length;
            case ValueKind.String:
                var room = Words;
                value->Length = Encoding.UTF8.GetBytes((string)reference!, new Span<byte>(scratch, room * 8));
                value->Pointer = (nint)scratch;
                return room;
            default:
                value->Integer = bits;
                return 0;
        }
    }

    private unsafe int CopyList(long* scratch)
    {
        var room = Words;
        var bytes = reference switch
        {
            long[] list => MemoryMarshal.AsBytes<long>(list),
            double[] list => MemoryMarshal.AsBytes<double>(list),
            _ => MemoryMarshal.AsBytes<bool>((bool[])reference!),
        };
        bytes.CopyTo(new Span<byte>(scratch, room * 8));
        return room;
    }
}
