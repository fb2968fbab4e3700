using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pipelines.Workflows;

/// <summary>
/// A workflow that is a stage of another: the path of its document, from the one that names it, or the definition itself.
/// A run keeps the definition.
/// </summary>
[JsonConverter(typeof(NestedWorkflowConverter))]
public sealed record NestedWorkflow(string? Path, WorkflowDefinition? Definition);

internal sealed class NestedWorkflowConverter : JsonConverter<NestedWorkflow>
{
    public override NestedWorkflow Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.StartObject
            ? new NestedWorkflow(null, JsonSerializer.Deserialize<WorkflowDefinition>(ref reader, options))
            : new NestedWorkflow(JsonSerializer.Deserialize<string>(ref reader, options), null);

    public override void Write(Utf8JsonWriter writer, NestedWorkflow value, JsonSerializerOptions options)
    {
        if (value.Definition is { } definition)
            JsonSerializer.Serialize(writer, definition, options);
        else
            writer.WriteStringValue(value.Path);
    }
}
