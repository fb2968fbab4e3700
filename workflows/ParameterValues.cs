using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Pipelines.Workflows;

/// <summary>The values of a workflow's parameters, and the stages' parameters with <c>${name}</c> filled in.</summary>
internal sealed partial class ParameterValues
{
    private readonly List<WorkflowError> errors;
    private readonly HashSet<string> unset = [];

    public ParameterValues(
        WorkflowDefinition definition, IReadOnlyDictionary<string, JsonElement> given, List<WorkflowError> errors)
    {
        this.errors = errors;
        var declared = definition.Parameters ?? new Dictionary<string, ParameterDefinition>();
        foreach (var name in given.Keys.Where(name => !declared.ContainsKey(name)))
            Fault(null, $"the workflow has no parameter '{name}'{Suggestion.For(name, [.. declared.Keys])}");

        foreach (var (name, parameter) in declared)
        {
            if ((given.TryGetValue(name, out var value) ? value : parameter.Default) is not { } chosen)
            {
                unset.Add(name);
                Fault(null, $"parameter '{name}' must be set: --set {name}=…"
                    + (parameter.Description is { } description ? $" ({description})" : ""));
            }
            else if (Convert(chosen, parameter.Type) is { } converted)
            {
                Values[name] = converted;
            }
            else
            {
                unset.Add(name);
                Fault(null, $"parameter '{name}' is {chosen.GetRawText()}: "
                    + $"expected {Json.Write(parameter.Type).GetString()}");
            }
        }
    }

    public Dictionary<string, JsonElement> Values { get; } = [];

    /// <summary>The stage's parameters as one JSON object; null when a value is missing, which has been said.</summary>
    public JsonElement? Fill(StageDefinition stage)
    {
        var complete = true;
        var filled = Fill(stage.Id, stage.Parameters is { } json ? JsonNode.Parse(json.GetRawText()) : null, ref complete);
        if (filled is not null and not JsonObject)
        {
            Fault(stage.Id, "parameters: expected an object");
            return null;
        }

        return complete ? Json.Write(filled ?? new JsonObject()) : null;
    }

    private JsonNode? Fill(string stage, JsonNode? node, ref bool complete)
    {
        switch (node)
        {
            case JsonObject members:
                var filled = new JsonObject();
                foreach (var (name, value) in members)
                    filled[name] = Fill(stage, value, ref complete);
                return filled;
            case JsonArray items:
                var array = new JsonArray();
                foreach (var item in items)
                    array.Add(Fill(stage, item, ref complete));
                return array;
            case JsonValue value when value.TryGetValue<string>(out var text):
                return FillText(stage, text, ref complete);
            default:
                return node?.DeepClone();
        }
    }

    // A text that is nothing but ${name} takes the value with its type; inside a longer text the value is written out.
    private JsonNode? FillText(string stage, string text, ref bool complete)
    {
        var whole = Reference().Match(text);
        if (whole.Success && whole.Length == text.Length)
            return Find(stage, whole.Groups[1].Value, ref complete) is { } value ? JsonNode.Parse(value.GetRawText()) : null;

        var all = complete;
        var replaced = Reference().Replace(
            text,
            match => Find(stage, match.Groups[1].Value, ref all) is { } value ? Written(value) : match.Value);
        complete = all;
        return JsonValue.Create(replaced);
    }

    private JsonElement? Find(string stage, string name, ref bool complete)
    {
        if (Values.TryGetValue(name, out var value))
            return value;
        complete = false;
        if (!unset.Contains(name))
            Fault(stage, $"'${{{name}}}': the workflow has no parameter '{name}'{Suggestion.For(name, Values.Keys)}");
        return null;
    }

    private static string Written(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    /// <summary>Values of the command line are text; they become what the parameter's type says.</summary>
    private static JsonElement? Convert(JsonElement value, ParameterType type)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : null;
        switch (type)
        {
            case ParameterType.Text or ParameterType.Path when text is not null:
                return value;
            case ParameterType.Boolean when value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                return value;
            case ParameterType.Boolean when bool.TryParse(text, out var flag):
                return Json.Write(flag);
            case ParameterType.Integer when value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _):
                return value;
            case ParameterType.Integer
                when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer):
                return Json.Write(integer);
            case ParameterType.Number when value.ValueKind == JsonValueKind.Number:
                return value;
            case ParameterType.Number
                when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                    && double.IsFinite(number):
                return Json.Write(number);
            default:
                return null;
        }
    }

    private void Fault(string? stage, string message) => errors.Add(new WorkflowError(stage, message));

    [GeneratedRegex(@"\$\{([A-Za-z][A-Za-z0-9_-]*)\}")]
    private static partial Regex Reference();
}
