using System.Text.Json;

namespace Pipelines.Workflows.Expressions;

/// <summary>A function of the language; all give a number.</summary>
/// <param name="Most">The most arguments; every function takes one at least.</param>
/// <param name="Apply">Its arguments are of the types that it takes.</param>
internal sealed record Function(string Name, int Most, ValueTypes Takes, Func<IReadOnlyList<JsonElement>, double> Apply)
{
    public static IReadOnlyList<Function> All { get; } =
    [
        new("min", int.MaxValue, ValueTypes.Number, numbers => numbers.Min(number => number.GetDouble())),
        new("max", int.MaxValue, ValueTypes.Number, numbers => numbers.Max(number => number.GetDouble())),
        OfNumber("abs", Math.Abs),
        OfNumber("round", number => Math.Round(number, MidpointRounding.AwayFromZero)),
        OfNumber("floor", Math.Floor),
        OfNumber("ceil", Math.Ceiling),
        new("len", 1, ValueTypes.String | ValueTypes.Array | ValueTypes.Object, values => Length(values[0])),
    ];

    private static Function OfNumber(string name, Func<double, double> apply) =>
        new(name, 1, ValueTypes.Number, numbers => apply(numbers[0].GetDouble()));

    private static double Length(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength(),
        JsonValueKind.Object => value.GetPropertyCount(),
        // What a reader counts as characters is nearer to code points than to UTF-16.
        _ => value.GetString()!.EnumerateRunes().Count(),
    };
}
