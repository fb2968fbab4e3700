using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>A tensor in a safetensors file. <paramref name="Begin"/> and <paramref name="End"/> count from the end of the header.</summary>
public sealed record TensorEntry(string Name, ScalarType Type, long[] Shape, long Begin, long End)
{
    public long Bytes => End - Begin;
}

/// <summary>The format's names for the types that can be read here.</summary>
internal static class SafetensorsType
{
    private static readonly (string Name, ScalarType Type, int Size)[] Known =
    [
        ("F64", ScalarType.Float64, 8), ("F32", ScalarType.Float32, 4), ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2), ("I64", ScalarType.Int64, 8), ("I32", ScalarType.Int32, 4),
        ("I16", ScalarType.Int16, 2), ("I8", ScalarType.Int8, 1), ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    public static string Names => string.Join(", ", Known.Select(type => type.Name));

    public static ScalarType? Parse(string name) =>
        Array.Find(Known, type => type.Name == name) is { Name: not null } found ? found.Type : null;

    public static string Name(ScalarType type) => Array.Find(Known, known => known.Type == type).Name
        ?? throw new SafetensorsException($"tensors of type {type} cannot be written: expected one of {Names}");

    public static int Size(ScalarType type) => Array.Find(Known, known => known.Type == type).Size;
}
