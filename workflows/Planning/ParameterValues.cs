using System.Globalization;
using System.Text.Json;

namespace Pipelines.Workflows.Planning;

/// <summary>The values of a workflow's parameters: what was given, else the default, each of its declared type.</summary>
internal static class ParameterValues
{
    /// <param name="given">Null when they are still to come: then none is missed.</param>
    /// <param name="stage">Null for the workflow that is run, else the stage that it is.</param>
    public static Variables Read(
        WorkflowDefinition definition, IReadOnlyDictionary<string, JsonElement>? given, string? stage, Faults faults)
    {
        var declared = definition.Parameters ?? new Dictionary<string, ParameterDefinition>();
        foreach (var name in (given?.Keys ?? []).Where(name => !declared.ContainsKey(name)))
            faults.Add(stage, $"the workflow has no parameter '{name}'{Suggestion.For(name, [.. declared.Keys])}");

        var variables = Variables.None;
        foreach (var (name, parameter) in declared)
        {
            JsonElement? value = null;
            if ((given?.TryGetValue(name, out var found) == true ? found : parameter.Default) is not { } chosen)
            {
                if (given is null)
                {
                    variables = variables.With(name, null);
                    continue;
                }

                faults.Add(stage, $"parameter '{name}' must be set: "
                    + (stage is null ? $"--set {name}=…" : "it has no default")
                    + (parameter.Description is { } description ? $" ({description})" : ""));
            }
            else if (Convert(chosen, parameter.Type) is { } converted)
            {
                value = converted;
            }
            else
            {
                faults.Add(stage, $"parameter '{name}' is {chosen.GetRawText()}: "
                    + $"expected {Json.Write(parameter.Type).GetString()}");
            }

            variables = variables.With(name, value);
        }

        return variables;
    }

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
            case ParameterType.Number when Number(text) is { } number:
                return number;
            case ParameterType.List when value.ValueKind == JsonValueKind.Array:
                return value;
            case ParameterType.List when text is not null:
                return Json.Write(text.Split(',', StringSplitOptions.TrimEntries).Select(item => Number(item) ?? Json.Write(item)));
            default:
                return null;
        }
    }

    private static JsonElement? Number(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? Json.Write(number)
            : null;
}
