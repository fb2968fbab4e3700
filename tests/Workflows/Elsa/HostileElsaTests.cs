using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pipelines.Activities;
using Pipelines.Tests.Guards;
using Pipelines.Workflows;
using Pipelines.Workflows.Elsa;

namespace Pipelines.Tests.Workflows.Elsa;

public sealed class HostileElsaTests
{
    [Theory]
    [InlineData("", "it is no JSON")]
    [InlineData("{ \"name\":\n oops }", "it is no JSON: 'o' is an invalid start of a value (line 2)")]
    [InlineData("[]", "expected an object, found a list")]
    [InlineData("{ \"name\": \"w\" }", "expected a root, which is an activity, found none")]
    [InlineData("{ \"root\": 5 }", "expected a root, which is an activity, found a number")]
    [InlineData("{ \"name\": \"w\", \"stages\": [] }", "one of ours")]
    [InlineData("{ \"root\": {} }", "root: an activity needs a type, as Elsa.WriteLine, found null")]
    [InlineData("{ \"root\": { \"type\": \"Elsa.Flowchart\", \"activities\": 3 } }", "root.activities: expected a list, found a number")]
    [InlineData("{ \"root\": { \"type\": \"Elsa.Flowchart\", \"activities\": [ null ] } }", "root.activities[0]: expected an activity, found null")]
    [InlineData("{ \"root\": { \"type\": \"Elsa.Flowchart\", \"activities\": [ { \"type\": 1 } ] } }", "root.activities[0]: an activity needs a type, as Elsa.WriteLine, found a number")]
    [InlineData("{ \"root\": { \"type\": \"Elsa.Flowchart\", \"activities\": [ { \"type\": \"a\", \"id\": 1 } ] } }", "root.activities[0].id: expected a text, found a number")]
    [InlineData("{ \"root\": { \"type\": \"Elsa.Flowchart\", \"activities\": [ { \"type\": \"a\", \"id\": \"x\" }, { \"type\": \"a\" }, { \"type\": \"b\", \"id\": \"x\" } ] } }", "root.activities[2]: root.activities[0] has the id 'x' as well")]
    [InlineData("{ \"root\": { \"type\": \"Elsa.Flowchart\", \"activities\": [ { \"type\": \"a\", \"id\": \"x\" } ], \"connections\": [ { \"source\": \"x\", \"target\": \"y\" } ] } }", "root.connections[0]: its target 'y' is no activity of this workflow")]
    [InlineData("{ \"root\": { \"type\": \"a\", \"type\": \"b\" } }", "it is no JSON")]
    [InlineData("{ \"root\": { \"type\": \"a\",\n \"text\": \"\\ud800\" } }", "line 2: a text is not Unicode")]
    public void Says_what_is_wrong_and_where(string text, string says) =>
        Assert.Contains(says, Assert.Throws<ElsaException>(() => ElsaImport.Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Refuses_bytes_that_are_no_text()
    {
        byte[] bytes = [.. Encoding.UTF8.GetBytes("{ \"root\": { \"type\": \""), 0xC3, 0x28, .. Encoding.UTF8.GetBytes("\" } }")];

        Assert.Contains("line 1: a text is not Unicode", Assert.Throws<ElsaException>(() => ElsaImport.Read(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reads_a_file_that_starts_with_a_byte_order_mark()
    {
        byte[] bytes = [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes("{ \"name\": \"timer\", \"root\": { \"type\": \"Elsa.Timer\" } }")];

        Assert.Equal("elsa.Timer", Assert.Single(ElsaImport.Read(bytes).Definition.Stages).Kind);
    }

    [Theory]
    [InlineData("{\"root\":{\"type\":\"a\",\"x\":", "}}")]
    [InlineData("", "")]
    public void Refuses_what_is_nested_too_deep(string before, string after)
    {
        var text = $"{before}{new string('[', 100_000)}{new string(']', 100_000)}{after}";

        Assert.Contains("line 1: it is nested deeper than 60 levels", Assert.Throws<ElsaException>(() => ElsaImport.Read(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_as_deep_as_it_may_be_can_be_stored_and_comes_back()
    {
        var lists = 56;
        ElsaFiles.SurvivesUnchanged(
            $$"""{ "name": "deep", "root": { "type": "Elsa.Flowchart", "activities": [ { "type": "a", "x": {{new string('[', lists) + new string(']', lists)}} } ] } }""");
    }

    [Fact]
    public void Refuses_what_is_too_large() => Assert.Contains(
        "a workflow has 10000000 bytes at most, this has 10000001",
        Assert.Throws<ElsaException>(() => ElsaImport.Read(new byte[WorkflowFile.Largest + 1])).Message, StringComparison.Ordinal);

    [Fact]
    public void Ten_thousand_activities_of_one_name_are_read_and_written_in_seconds()
    {
        var activities = Enumerable.Range(0, 10_000).Select(i => $$"""{"id":"a{{i}}","name":"same","type":"Elsa.WriteLine","version":1}""");
        var connections = Enumerable.Range(1, 9_999).Select(i => $$$"""{"source":{"activity":"a{{{i - 1}}}","port":"Done"},"target":{"activity":"a{{{i}}}","port":"In"}}""");
        var text = $$$"""{"name":"many","root":{"type":"Elsa.Flowchart","activities":[{{{string.Join(',', activities)}}}],"connections":[{{{string.Join(',', connections)}}}]}}""";

        var imported = ElsaImport.Read(text);

        Assert.Equal(10_000, imported.Definition.Stages.Select(stage => stage.Id).Distinct().Count());
        Assert.Equal(ElsaFiles.Canonical(text), ElsaFiles.Canonical(ElsaExport.Write(imported.Definition)));
    }

    [Fact]
    public void A_connection_to_nowhere_that_elsa_would_drop_is_kept_with_a_warning()
    {
        const string Text = """
            { "name": "w", "root": { "type": "Elsa.Flowchart", "activities": [ { "type": "a", "id": "x" } ],
              "connections": [ { "source": { "activity": "x" }, "target": { "activity": "y", "port": "In" } }, 7 ] } }
            """;

        var warnings = ElsaImport.Read(Text).Warnings.Select(warning => $"{warning}").ToArray();

        Assert.Contains("root.connections[0]: its target 'y' is no activity of this workflow; it is kept, and not drawn", warnings);
        Assert.Contains("root.connections[1] is kept, and not drawn: it names no source and target", warnings);
        ElsaFiles.SurvivesUnchanged(Text);
    }

    [Theory]
    [InlineData("\"sparsity\": { \"typeName\": \"Double\", \"expression\": { \"type\": \"JavaScript\", \"value\": \"0.5\" } }", "its input 'sparsity' is to be computed by Elsa")]
    [InlineData("\"customProperties\": { \"pipelines\": { \"timeuot\": 5 } }", "customProperties.pipelines cannot be read")]
    [InlineData("\"customProperties\": { \"pipelines\": { \"stages\": [ null ] } }", "stages[0] is null")]
    public void A_stage_of_ours_that_cannot_be_read_whole_is_no_stage_that_runs(string property, string says)
    {
        var text = $$"""{ "name": "w", "root": { "type": "Elsa.Flowchart", "activities": [ { "type": "Pipelines.prune.wanda", "id": "x", {{property}} } ] } }""";

        var imported = ElsaImport.Read(text);

        Assert.Equal("elsa.Pipelines.prune.wanda", Assert.Single(imported.Definition.Stages).Kind);
        Assert.Contains(says, Assert.Single(imported.Warnings).Message, StringComparison.Ordinal);
        ElsaFiles.SurvivesUnchanged(text);
    }

    [Fact]
    public void Every_form_that_elsa_has_ever_written_is_kept()
    {
        ElsaFiles.SurvivesUnchanged("""{ "name": "w", "root": { "type": "Elsa.Sequence", "id": "s", "activities": [ { "type": "a" } ] } }""");
        ElsaFiles.SurvivesUnchanged("""{ "name": "w", "root": { "type": "Elsa.Flowchart", "activities": { "$values": [ { "type": "a", "id": "x" } ] }, "connections": { "$values": [] } } }""");
        ElsaFiles.SurvivesUnchanged("""{ "name": "w", "root": { "type": "Elsa.Flowchart", "activities": [ { "type": "a", "id": "x" } ], "connections": { "Source": { "Activity": "x", "Port": null }, "Target": { "Activity": "x", "Port": "In" } } } }""");
        ElsaFiles.SurvivesUnchanged("""{ "$schema": "https://elsaworkflows.io/schemas/workflow-definition/v3.0.0/schema.json", "root": { "type": "Elsa.Flowchart" } }""");
    }

    [Fact]
    public void A_stage_of_ours_comes_back_from_an_elsa_that_does_not_know_its_type()
    {
        var ours = JsonNode.Parse(ElsaExport.Write(WorkflowFile.Read(Repository.File("workflows", "templates", "quickstart.json"))))!;
        var activities = ours["root"]!["activities"]!.AsArray();
        for (var i = 0; i < activities.Count; i++)
        {
            // As Elsa writes what it cannot construct.
            var original = activities[i]!.AsObject();
            var kept = new JsonObject { ["type"] = "Elsa.NotFoundActivity", ["version"] = 1, ["originalActivityJson"] = original.ToJsonString() };
            foreach (var name in new[] { "id", "nodeId", "name", "metadata", "customProperties" })
                kept[name] = original[name]!.DeepClone();
            kept["missingTypeName"] = original["type"]!.DeepClone();
            activities[i] = kept;
        }

        var text = ours.ToJsonString();
        var definition = ElsaImport.Read(text).Definition;

        Assert.True(Plan.TryCreate(definition, ActivityCatalog.Create(), new Dictionary<string, JsonElement>(), out var plan, out var errors), string.Join('\n', errors));
        Assert.Equal(10, plan.Stages.Count);
        ElsaFiles.SurvivesUnchanged(text);
        var changed = definition with { Stages = [definition.Stages[0] with { Parameters = JsonElement.Parse("{\"seed\":7}") }, .. definition.Stages.Skip(1)] };
        var again = ElsaImport.Read(ElsaExport.Write(changed)).Definition;
        Assert.Equal("""{"seed":7}""", again.Stages[0].Parameters?.GetRawText());
    }

    [Theory]
    [InlineData("{ \"name\": \"w\", \"stages\": [ { \"id\": \"a\", \"kind\": \"k\" }, { \"id\": \"a\", \"kind\": \"k\" } ] }", "2 stages have the id 'a'")]
    [InlineData("{ \"name\": \"w\", \"stages\": [ null ] }", "stages[0] is null")]
    [InlineData("{ \"name\": \"w\", \"stages\": [ { \"id\": \"a\", \"kind\": \"k\", \"elsa\": 5 } ] }", "stage 'a': its 'elsa' is not what an import kept")]
    [InlineData("{ \"name\": \"w\", \"stages\": [], \"elsa\": { \"workflow\": { \"root\": 5 }, \"activities\": [] } }", "the workflow's 'elsa' is not what an import kept")]
    [InlineData("{ \"name\": \"w\", \"stages\": [ { \"id\": \"a\", \"kind\": \"k\", \"parameters\": { \"p\": \"\\ud800\" } } ] }", "half a character")]
    public void An_export_that_cannot_be_says_why(string document, string says) => Assert.Contains(
        says, Assert.Throws<ElsaException>(() => ElsaExport.Write(Json.Read<WorkflowDefinition>(document))).Message, StringComparison.Ordinal);
}
