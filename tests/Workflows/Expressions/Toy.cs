using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Tests.Workflows.Expressions;

/// <summary>The values that the names of these tests stand for; <c>skipped</c> is a stage without outputs.</summary>
internal static class Toy
{
    private static readonly Dictionary<string, JsonElement> Parameters = new()
    {
        ["sparsity"] = Json.Write(0.5),
        ["rounds"] = Json.Write(3),
        ["name"] = Json.Write("llama"),
        ["fast"] = Json.Write(true),
        ["min"] = Json.Write(7),
        ["huge"] = JsonElement.Parse("1e999"),
        ["half"] = JsonElement.Parse("""
            "\ud800"
            """),
    };

    private static readonly Dictionary<string, JsonElement> Outputs = new()
    {
        ["evaluate-dense.measurement"] = JsonElement.Parse("""
            { "perplexity": 12.5, "tokens": 100, "note": null, "texts": ["a", "b"], "and": { "true": 1 } }
            """),
        ["evaluate.measurement"] = JsonElement.Parse("""{ "perplexity": 10, "texts": ["a", "b"] }"""),
        ["evaluate.none"] = JsonElement.Parse("null"),
        ["not.value"] = Json.Write(1),
        ["odd.halves"] = JsonElement.Parse("""{ "list": ["\ud800"], "\ud800": 1, "numbers": [1e99999999999] }"""),
    };

    public static JsonElement Evaluate(string text) => Expression.Parse(text).Evaluate(Parameter, Output);

    public static bool Decide(string text) => Expression.Parse(text).EvaluateCondition(Parameter, Output);

    public static string Refuse(string text) =>
        Assert.Throws<ExpressionException>(() => Expression.Parse(text)).Message;

    public static string Fail(string text)
    {
        var expression = Expression.Parse(text);
        return Assert.Throws<ExpressionException>(() => expression.Evaluate(Parameter, Output)).Message;
    }

    public static JsonElement? Parameter(string name) => Parameters.TryGetValue(name, out var value) ? value : null;

    public static JsonElement? Output(OutputName name) => Outputs.TryGetValue(name.ToString(), out var value) ? value : null;
}
