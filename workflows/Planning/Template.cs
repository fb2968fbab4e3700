using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Pipelines.Workflows.Planning;

/// <summary>Fills in <c>${…}</c>: a name or an expression over the parameters, the values of matrices and the round.</summary>
internal sealed partial class Template(Variables variables, string? stage, Faults faults)
{
    private bool complete = true;

    /// <returns>Null when a value is missing, which was said.</returns>
    public JsonElement? Fill(JsonElement json)
    {
        var filled = Fill(JsonNode.Parse(json.GetRawText()));
        return complete ? Json.Write(filled) : null;
    }

    private JsonNode? Fill(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                var filled = new JsonObject();
                foreach (var (name, value) in members)
                    filled[name] = Fill(value);
                return filled;
            case JsonArray items:
                return new JsonArray([.. items.Select(Fill)]);
            case JsonValue value when value.TryGetValue<string>(out var text):
                return FillText(text);
            default:
                return node?.DeepClone();
        }
    }

    // A text that is nothing but ${…} takes the value with its type; inside a longer text the value is written out.
    private JsonNode? FillText(string text)
    {
        var whole = Place().Match(text);
        if (whole.Success && whole.Length == text.Length)
            return Evaluate(whole.Groups[1].Value) is { } value ? JsonNode.Parse(value.GetRawText()) : null;
        return JsonValue.Create(Place().Replace(
            text, match => Evaluate(match.Groups[1].Value) is { } value ? Written(value) : match.Value));
    }

    private JsonElement? Evaluate(string text)
    {
        try
        {
            var expression = Expression.Parse(text);
            if (expression.Names.FirstOrDefault(name => name.Output is not null) is { } output)
                return Fault($"'${{{text}}}' at {output.Position}: a parameter cannot read '{output}', it is known before anything runs");
            foreach (var name in expression.Names.Select(name => name.Parameter!).Where(name => !variables.Knows(name)))
                return Fault($"'${{{text}}}': the workflow has no parameter '{name}'{Suggestion.For(name, [.. variables.Values.Keys])}");
            if (expression.Names.All(name => variables.Values.ContainsKey(name.Parameter!)))
                return expression.Evaluate(name => variables.Values[name], _ => null);
            complete = false;
            return null;
        }
        catch (ExpressionException error)
        {
            return Fault($"'${{{text}}}' {error.Message}");
        }
    }

    private JsonElement? Fault(string message)
    {
        complete = false;
        faults.Add(stage, message);
        return null;
    }

    private static string Written(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    [GeneratedRegex(@"\$\{([^{}]*)\}")]
    private static partial Regex Place();
}
