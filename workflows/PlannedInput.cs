using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Pipelines.Workflows;

/// <summary>
/// Where the value of a port comes from. Written as <c>"stage.port"</c>, as an array (the first that was not skipped), or
/// as an object for a list.
/// </summary>
/// <param name="IsList">Whether the port takes a list of <see cref="Branch{T}"/>.</param>
[JsonConverter(typeof(PlannedInputConverter))]
public sealed record PlannedInput(bool IsList, IReadOnlyList<PlannedSource> Items)
{
    /// <summary>One value.</summary>
    public static PlannedInput One(params IReadOnlyList<OutputName> firstOf) =>
        new(false, [new PlannedSource(firstOf, new Dictionary<string, JsonElement>())]);

    /// <summary>The stages that it may come from.</summary>
    public IEnumerable<string> Stages => Items.SelectMany(item => item.FirstOf).Select(output => output.Stage);

    /// <summary>The values of those that have one.</summary>
    /// <inheritdoc cref="Value"/>
    public static JsonObject Values(IReadOnlyDictionary<string, PlannedInput> inputs, Func<string, JsonElement?> outputs)
    {
        var values = new JsonObject();
        foreach (var (name, source) in inputs)
        {
            if (source.Value(outputs) is { } value)
                values[name] = value;
        }

        return values;
    }

    /// <summary>The value; null when all that would make it was skipped.</summary>
    /// <param name="outputs">The outputs of a stage; null when it was skipped.</param>
    public JsonNode? Value(Func<string, JsonElement?> outputs)
    {
        if (!IsList)
            return Items[0].Find(outputs)?.Value;
        var list = new JsonArray();
        foreach (var item in Items)
        {
            if (item.Find(outputs) is not var (output, value))
                continue;
            list.Add(new JsonObject
            {
                ["stage"] = output.Stage,
                ["variables"] = JsonNode.Parse(Json.Write(item.Variables).GetRawText()),
                ["value"] = value,
            });
        }

        return list.Count > 0 ? list : null;
    }
}

/// <param name="FirstOf">The first of these whose stage was not skipped.</param>
/// <param name="Variables">The values that the matrices had where it was made.</param>
public sealed record PlannedSource(IReadOnlyList<OutputName> FirstOf, IReadOnlyDictionary<string, JsonElement> Variables)
{
    internal (OutputName Output, JsonNode Value)? Find(Func<string, JsonElement?> outputs)
    {
        foreach (var output in FirstOf)
        {
            if (outputs(output.Stage) is { } made && made.TryGetProperty(output.Port, out var value))
                return (output, JsonNode.Parse(value.GetRawText())!);
        }

        return null;
    }
}

internal sealed class PlannedInputConverter : JsonConverter<PlannedInput>
{
    private sealed record Item(string[] From, Dictionary<string, JsonElement> Variables);

    private sealed record List(Item[] Each);

    public override PlannedInput Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return PlannedInput.One(OutputName.Parse(reader.GetString()!)!);
            case JsonTokenType.StartArray:
                return PlannedInput.One(Names(JsonSerializer.Deserialize<string[]>(ref reader, options)!));
            default:
                var list = JsonSerializer.Deserialize<List>(ref reader, options)!;
                return new PlannedInput(true, [.. list.Each.Select(item => new PlannedSource(Names(item.From), item.Variables))]);
        }
    }

    public override void Write(Utf8JsonWriter writer, PlannedInput value, JsonSerializerOptions options)
    {
        if (value.IsList)
            JsonSerializer.Serialize(writer, new List([.. value.Items.Select(item => new Item(Texts(item), item.Variables.ToDictionary()))]), options);
        else if (value.Items[0].FirstOf is [var only])
            writer.WriteStringValue(only.ToString());
        else
            JsonSerializer.Serialize(writer, Texts(value.Items[0]), options);
    }

    private static OutputName[] Names(string[] texts) => [.. texts.Select(text => OutputName.Parse(text)!)];

    private static string[] Texts(PlannedSource item) => [.. item.FirstOf.Select(output => output.ToString())];
}
