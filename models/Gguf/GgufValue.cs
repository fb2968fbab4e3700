namespace Pipelines.Models;

/// <summary>The types of GGUF's key-values, with the file's numbers.</summary>
public enum GgufValueType : uint
{
    UInt8 = 0,
    Int8 = 1,
    UInt16 = 2,
    Int16 = 3,
    UInt32 = 4,
    Int32 = 5,
    Float32 = 6,
    Bool = 7,
    String = 8,
    Array = 9,
    UInt64 = 10,
    Int64 = 11,
    Float64 = 12,
}

/// <summary>A value of GGUF's key-values, with its type in the file. Equal values of equal type are equal.</summary>
public abstract record GgufValue
{
    private GgufValue()
    {
    }

    public abstract GgufValueType Type { get; }

    public static GgufValue Of(int count) => new Whole(GgufValueType.UInt32, checked((uint)count));

    public static GgufValue Of(float value) => new Real(GgufValueType.Float32, value);

    public static GgufValue Of(bool value) => new Flag(value);

    public static GgufValue Of(string value) => new Text(value);

    public static GgufValue Of(IEnumerable<string> values) =>
        new List(GgufValueType.String, [.. values.Select(value => new Text(value))]);

    /// <summary>As the format's int32.</summary>
    public static GgufValue Of(IEnumerable<int> values) =>
        new List(GgufValueType.Int32, [.. values.Select(value => new Whole(GgufValueType.Int32, value))]);

    /// <summary>Of the eight types of integers.</summary>
    public sealed record Whole(GgufValueType Integer, Int128 Value) : GgufValue
    {
        public override GgufValueType Type => Integer;

        public override string ToString() => Value.ToString(null, null);
    }

    /// <param name="Float">Float32 or Float64.</param>
    public sealed record Real(GgufValueType Float, double Value) : GgufValue
    {
        public override GgufValueType Type => Float;

        public override string ToString() => Value.ToString("R", null);
    }

    public sealed record Flag(bool Value) : GgufValue
    {
        public override GgufValueType Type => GgufValueType.Bool;

        public override string ToString() => Value ? "true" : "false";
    }

    public sealed record Text(string Value) : GgufValue
    {
        public override GgufValueType Type => GgufValueType.String;

        public override string ToString() => $"\"{Value}\"";
    }

    /// <param name="Element">The type of the items; said even where there are none.</param>
    public sealed record List(GgufValueType Element, IReadOnlyList<GgufValue> Items) : GgufValue
    {
        public override GgufValueType Type => GgufValueType.Array;

        public bool Equals(List? other) => other is not null && Element == other.Element && Items.SequenceEqual(other.Items);

        public override int GetHashCode() => HashCode.Combine(Element, Items.Count);

        public override string ToString() => $"{Items.Count} of {Element}";
    }
}
