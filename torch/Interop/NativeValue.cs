using System.Runtime.InteropServices;

namespace TorchSharp.Interop;

/// <summary>The kinds of <c>pt::Value</c>, in its order.</summary>
internal enum ValueKind
{
    Default, None, Tensor, Int, Double, Bool, String, IntList, DoubleList, BoolList, TensorList, Device, Generator,
}

/// <summary>One argument or result as C++ sees it (<c>pt::Value</c>, 16 bytes).</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct NativeValue
{
    [FieldOffset(0)] public ValueKind Kind;
    [FieldOffset(4)] public int Length;
    [FieldOffset(8)] public long Integer;
    [FieldOffset(8)] public double Real;
    [FieldOffset(8)] public nint Pointer;
}
