using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pipelines.Workflows;

/// <summary>
/// What feeds a port: <c>"load.model"</c>, or several, <c>["recover.model", "prune.model"]</c>. A port that takes one value
/// takes the first that was not skipped; a port that takes a list takes all of them.
/// </summary>
[JsonConverter(typeof(SourcesConverter))]
public sealed record Sources(IReadOnlyList<string> Names)
{
    public bool Equals(Sources? other) => other is not null && Names.SequenceEqual(other.Names);

    public override int GetHashCode() => Names.Aggregate(0, HashCode.Combine);

    public override string ToString() => string.Join(" or ", Names);
}

internal sealed class SourcesConverter : JsonConverter<Sources>
{
    public override Sources Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.StartArray
            ? new Sources([.. JsonSerializer.Deserialize<string?[]>(ref reader, options)!.Select(name => name ?? "null")])
            : new Sources([JsonSerializer.Deserialize<string>(ref reader, options)!]);

    public override void Write(Utf8JsonWriter writer, Sources value, JsonSerializerOptions options)
    {
        if (value.Names is [var only])
            writer.WriteStringValue(only);
        else
            JsonSerializer.Serialize(writer, value.Names, options);
    }
}
