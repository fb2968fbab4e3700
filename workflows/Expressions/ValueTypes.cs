using System.Text.Json;

namespace Pipelines.Workflows.Expressions;

/// <summary>The types that a term's value may have: one when the value is known, several before.</summary>
[Flags]
internal enum ValueTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Number = 4,
    String = 8,
    Array = 16,
    Object = 32,
    Any = 63,
}

/// <summary>A term with what is known of its value, as the rules see it and messages show it.</summary>
internal readonly record struct Operand(Term Term, ValueTypes Types, JsonElement? Value = null)
{
    public Operand(Term term, JsonElement value)
        : this(term, TypeOf(value), value)
    {
    }

    public bool May(ValueTypes types) => (Types & types) != ValueTypes.None;

    /// <summary><c>'sparsity' (number 0.5)</c>, <c>string "high"</c>, <c>boolean</c>.</summary>
    public override string ToString()
    {
        var description = Value is { } value ? Describe(value) : Words(Types);
        return Term is Reading reading ? $"'{reading.Name}' ({description})" : description;
    }

    /// <summary><c>number or string</c></summary>
    public static string Words(ValueTypes types) => string.Join(
        " or ",
        Enum.GetValues<ValueTypes>()
            .Where(one => int.PopCount((int)one) == 1 && types.HasFlag(one))
            .Select(one => one.ToString().ToLowerInvariant()));

    /// <summary><c>number 0.5</c>, <c>null</c>; long strings are cut.</summary>
    public static string Describe(JsonElement value)
    {
        var type = Words(TypeOf(value));
        if (value.ValueKind is JsonValueKind.Null or JsonValueKind.Array or JsonValueKind.Object)
            return type;
        var text = value.GetRawText();
        return $"{type} {(text.Length > 40 ? text[..(char.IsHighSurrogate(text[39]) ? 39 : 40)] + "…" : text)}";
    }

    private static ValueTypes TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True or JsonValueKind.False => ValueTypes.Boolean,
        JsonValueKind.Number => ValueTypes.Number,
        JsonValueKind.String => ValueTypes.String,
        JsonValueKind.Array => ValueTypes.Array,
        JsonValueKind.Object => ValueTypes.Object,
        _ => ValueTypes.Null,
    };
}
