using System.Text.Json;

namespace Pipelines.Workflows.Expressions;

/// <summary>Reads the values that names stand for. They come from outside, so nothing is taken for granted.</summary>
internal sealed class NameReader(Func<string, JsonElement?> parameter, Func<OutputName, JsonElement?> output)
{
    /// <param name="absentIsNull">Whether a last part without a value reads as null.</param>
    /// <exception cref="ExpressionException">A part of the name has no value, or one that cannot be read.</exception>
    public JsonElement Read(ExpressionName name, bool absentIsNull = false)
    {
        var value = name.Parameter is { } known ? parameter(known) : output(name.Output!);
        var parts = name.Parameter is null ? 2 : 1;
        if (value is null or { ValueKind: JsonValueKind.Undefined })
        {
            return absentIsNull && parts == name.Parts.Count
                ? Json.Write<object?>(null)
                : throw Fault(name, $"'{Start(name, parts)}' has no value");
        }

        var found = value.Value;
        for (; parts < name.Parts.Count; parts++)
        {
            if (found.ValueKind != JsonValueKind.Object)
                throw Fault(name, $"'{Start(name, parts)}' has no members: it is {Operand.Describe(found)}");
            if (Member(name, found, name.Parts[parts]) is { } member)
                found = member;
            else if (absentIsNull && parts == name.Parts.Count - 1)
                return Json.Write<object?>(null);
            else
                throw Fault(name, $"'{Start(name, parts)}' has no member {Suggest(name, found, parts)}");
        }

        return Checked(name, found);
    }

    private static JsonElement? Member(ExpressionName name, JsonElement value, string member) =>
        Guarded<JsonElement?>(name, () => value.TryGetProperty(member, out var found) ? found : null);

    private static string Suggest(ExpressionName name, JsonElement value, int part) => Guarded(
        name,
        () => $"'{name.Parts[part]}'"
            + Suggestion.For(name.Parts[part], [.. value.EnumerateObject().Select(member => member.Name)]));

    // JSON can hold numbers and strings that .NET cannot.
    private static JsonElement Checked(ExpressionName name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number && !(value.TryGetDouble(out var number) && double.IsFinite(number)))
            throw Fault(name, $"'{name}' is too large for a number");
        if (value.ValueKind == JsonValueKind.String)
            Guarded(name, value.GetString);
        return value;
    }

    private static T Guarded<T>(ExpressionName name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            throw Fault(name, $"'{name}' cannot be read: it has half of a surrogate pair");
        }
    }

    private static string Start(ExpressionName name, int parts) => string.Join('.', name.Parts.Take(parts));

    private static ExpressionException Fault(ExpressionName name, string reason) => new(name.Position, reason);
}
