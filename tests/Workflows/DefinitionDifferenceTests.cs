using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Tests.Workflows;

public sealed class DefinitionDifferenceTests
{
    private const string Before = """
        {
          "name": "w", "description": "old", "parameters": { "n": { "type": "integer" } },
          "stages": [
            { "id": "a", "kind": "toy.number", "parameters": { "value": 1, "kept": [1, 2] } },
            { "id": "gone", "kind": "toy.number" },
            { "id": "sweep", "stages": [{ "id": "inner", "kind": "toy.add", "inputs": { "a": "a.value" } }] }
          ],
          "layout": { "a": { "x": 1, "y": 1 } }
        }
        """;

    [Fact]
    public void Says_what_was_added_removed_and_changed_down_to_the_parameter()
    {
        var found = Of(Before, """
            {
              "name": "w", "parameters": { "n": { "type": "number" } },
              "stages": [
                { "id": "a", "kind": "toy.number", "parameters": { "kept": [1, 2], "value": 2, "more": true } },
                { "id": "sweep", "stages": [{ "id": "inner", "kind": "toy.add", "inputs": { "a": "new.value" } }] },
                { "id": "new", "kind": "toy.number" }
              ],
              "layout": { "a": { "x": 2, "y": 1 } }
            }
            """);

        Assert.Equal(
            ["a changed: parameters.value 1→2, parameters.more –→true", "sweep.inner changed: inputs.a \"a.value\"→\"new.value\"", "new added: kind –→\"toy.number\"", "gone removed: kind \"toy.number\"→–"],
            found.Stages.Select(stage => $"{stage.Path} {stage.Change.ToString().ToLowerInvariant()}: {Text(stage.Fields)}"));
        Assert.Equal("""description "old"→–, parameters.n { "type": "integer" }→{ "type": "number" }""", Text(found.Document));
        Assert.True(found.Moved);
    }

    [Fact]
    public void The_order_of_members_and_of_white_space_is_no_difference()
    {
        var found = Of("""{"name": "w", "stages": [{"id": "a", "kind": "k"}]}""", """{ "stages": [ { "kind": "k", "id": "a" } ], "name": "w" }""");

        Assert.Empty(found.Stages);
        Assert.Empty(found.Document);
        Assert.False(found.Moved);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"stages": null}""")]
    [InlineData("""{"stages": [1, {"id": 2}, {}, "x", {"id": "a", "parameters": 3}]}""")]
    public void A_draft_that_is_wrong_has_differences_too(string draft)
    {
        var found = Of(Before, draft);

        Assert.Contains(found.Stages, stage => stage is { Path: "gone", Change: StageChange.Removed });
        Assert.Contains(found.Document, field => field.Field == "description");
    }

    private static DefinitionDifference Of(string before, string after) => DefinitionDifference.Of(JsonElement.Parse(before), JsonElement.Parse(after));

    private static string Text(IEnumerable<FieldDifference> fields) => string.Join(
        ", ", fields.Select(field => $"{field.Field} {field.Before?.GetRawText() ?? "–"}→{field.After?.GetRawText() ?? "–"}"));
}
