using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>What a tensor's values are written as. All keep a zero exactly zero, so a sparse model stays sparse.</summary>
[SuppressMessage("Naming", "CA1707:Identifiers should not contain underscores", Justification = "The types' names are ggml's.")]
public enum GgufType
{
    F32,

    F16,

    BF16,

    /// <summary>Blocks of 32 values: an F16 scale and 32 signed bytes, 8.5 bits per value.</summary>
    Q8_0,
}

/// <summary>How values of one of ggml's types lie in a file: in blocks along the last axis.</summary>
/// <param name="Id">The file's number for it.</param>
/// <param name="BlockSize">Values in a block.</param>
/// <param name="BlockBytes">Bytes that a block takes.</param>
/// <param name="Type">LibTorch's type of the same values, where there is one.</param>
public sealed record GgmlType(uint Id, string Name, int BlockSize, int BlockBytes, ScalarType? Type = null)
{
    public static readonly GgmlType F32 = new(0, "F32", 1, 4, ScalarType.Float32);
    public static readonly GgmlType F16 = new(1, "F16", 1, 2, ScalarType.Float16);
    public static readonly GgmlType BF16 = new(30, "BF16", 1, 2, ScalarType.BFloat16);
    public static readonly GgmlType Q80 = new(8, "Q8_0", 32, 34);

    // Those that are not written here are carried from file to file as they are.
    private static readonly GgmlType[] Known =
    [
        F32, F16, BF16, Q80, new(2, "Q4_0", 32, 18), new(3, "Q4_1", 32, 20), new(6, "Q5_0", 32, 22), new(7, "Q5_1", 32, 24),
        new(10, "Q2_K", 256, 84), new(11, "Q3_K", 256, 110), new(12, "Q4_K", 256, 144), new(13, "Q5_K", 256, 176),
        new(14, "Q6_K", 256, 210), new(24, "I8", 1, 1, ScalarType.Int8), new(25, "I16", 1, 2, ScalarType.Int16),
        new(26, "I32", 1, 4, ScalarType.Int32), new(27, "I64", 1, 8, ScalarType.Int64), new(28, "F64", 1, 8, ScalarType.Float64),
    ];

    public static GgmlType Of(GgufType type) => type switch
    {
        GgufType.F32 => F32,
        GgufType.F16 => F16,
        GgufType.BF16 => BF16,
        GgufType.Q8_0 => Q80,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    public static GgmlType? Find(uint id) => Array.Find(Known, type => type.Id == id);

    /// <summary>Whether a row of this many values is a whole number of blocks.</summary>
    public bool Fits(long row) => row % BlockSize == 0;

    /// <param name="values">A whole number of blocks.</param>
    public long Bytes(long values) => values / BlockSize * BlockBytes;
}
