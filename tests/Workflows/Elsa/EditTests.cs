using System.Text.Json;
using System.Text.Json.Nodes;
using Pipelines.Activities;
using Pipelines.Workflows;
using Pipelines.Workflows.Elsa;

namespace Pipelines.Tests.Workflows.Elsa;

/// <summary>What is changed here is changed in Elsa's JSON, and nothing else is.</summary>
public sealed class EditTests
{
    /// <summary>A flowchart with an activity of Elsa's and two of ours, as someone made it in Elsa.</summary>
    private const string Mixed = """
        { "id": "v1", "definitionId": "d1", "name": "Mixed / 1", "toolVersion": "3.2.0.0", "strange": [1.50, {}],
          "variables": [ { "id": "a", "name": "share", "typeName": "Double", "isArray": false, "value": "0.50" },
                         { "id": "b", "name": "state", "typeName": "Object" } ],
          "inputs": [ { "type": "String", "name": "folder", "displayName": "Folder", "description": "Where", "uiHint": "single-line" } ],
          "root": { "id": "f", "type": "Elsa.Flowchart", "version": 1, "customProperties": { "source": "x.cs:1" },
            "activities": [
              { "id": "1", "name": "Say hello", "type": "Elsa.WriteLine", "version": 1, "text": { "typeName": "String", "expression": { "type": "Literal", "value": "hello" } },
                "count": { "typeName": "Int32", "expression": { "type": "Literal", "value": "5" }, "memoryReference": { "id": "m" } },
                "metadata": { "designer": { "position": { "x": -10.50, "y": 20 }, "size": { "width": 5 } } } },
              { "id": "2", "name": "load", "type": "Pipelines.model.load", "version": 1, "path": { "typeName": "String", "expression": { "type": "Literal", "value": "${folder}" } } },
              { "id": "3", "name": "prune", "type": "Pipelines.prune.magnitude", "version": 1,
                "sparsity": { "typeName": "Double", "expression": { "type": "Literal", "value": 0.50 } },
                "customProperties": { "canStartWorkflow": false, "mine": 1e2, "pipelines": { "inputs": { "model": "load.model" }, "timeout": 60.0 } } } ],
            "connections": [
              { "source": { "activity": "1", "port": "Done" }, "target": { "activity": "2", "port": "In" }, "vertices": [ { "x": 1.0, "y": 2 } ] },
              { "source": { "activity": "2", "port": "Done" }, "target": { "activity": "3", "port": "In" } } ] } }
        """;

    [Fact]
    public void What_is_ours_becomes_a_stage_and_the_rest_a_placeholder()
    {
        var imported = ElsaImport.Read(Mixed);
        var definition = imported.Definition;

        Assert.Equal("Mixed - 1", definition.Name);
        Assert.Equal(["Say-hello elsa.WriteLine", "load model.load", "prune prune.magnitude"], definition.Stages.Select(stage => $"{stage.Id} {stage.Kind}"));
        Assert.Equal("""{"text":"hello","count":5}""", definition.Stages[0].Parameters?.GetRawText());
        Assert.Equal("""{"sparsity":0.50}""", definition.Stages[2].Parameters?.GetRawText());
        Assert.Equal("load.model", definition.Stages[2].Inputs!["model"].Names.Single());
        Assert.Equal(60, definition.Stages[2].Timeout);
        Assert.Equal("""{"Say-hello":{"x":-10.50,"y":20}}""", definition.Layout?.GetRawText());
        Assert.Equal(ParameterType.Text, definition.Parameters!["folder"].Type);
        Assert.Equal((ParameterType.Number, "0.50"), (definition.Parameters["share"].Type, definition.Parameters["share"].Default?.GetRawText()));
        Assert.Equal(
            [
                "the variable 'state' (Object) is kept, and is no parameter: no parameter has such a type, or it has no value to begin with",
                "Say-hello: Elsa.WriteLine is Elsa's: it is kept as a placeholder, and a run is refused as long as it is there",
                "load: it comes after Say-hello in Elsa, which feeds it nothing here: that order is kept, and does not hold it back",
            ],
            imported.Warnings.Select(warning => $"{warning}"));
        ElsaFiles.SurvivesUnchanged(Mixed);
    }

    [Fact]
    public void A_run_with_a_placeholder_is_refused_and_says_why()
    {
        Assert.False(Plan.TryCreate(
            ElsaImport.Read(Mixed).Definition, ActivityCatalog.Create(),
            new Dictionary<string, JsonElement> { ["folder"] = JsonElement.Parse("\"m\"") }, out _, out var errors));

        Assert.Equal(
            "Say-hello: 'elsa.WriteLine' is Elsa's: it is kept, and cannot be run here; put a stage of a kind that is ours in its place",
            $"{Assert.Single(errors)}");
    }

    [Fact]
    public void A_renamed_stage_gets_a_name_and_keeps_its_id() => Changes(
        document => document["stages"]![0]!["id"] = "greet",
        "root.activities[0].name: greet",
        // It has no place any more: the layout still speaks of the name that it had.
        "root.activities[0].metadata.designer.position: gone",
        "customProperties: {\"pipelines\":{\"layout\":{\"Say-hello\":{\"x\":-10.50,\"y\":20}}}}");

    [Fact]
    public void A_stage_renamed_with_all_that_speaks_of_it() => Changes(
        document =>
        {
            document["stages"]![1]!["id"] = "model";
            document["stages"]![2]!["inputs"]!["model"] = "model.model";
        },
        "root.activities[1].name: model", "root.activities[2].customProperties.pipelines.inputs.model: model.model");

    [Fact]
    public void A_placeholder_renamed_with_its_place() => Changes(
        document =>
        {
            document["stages"]![0]!["id"] = "greet";
            var layout = document["layout"]!.AsObject();
            layout["greet"] = layout["Say-hello"]!.DeepClone();
            layout.Remove("Say-hello");
        },
        "root.activities[0].name: greet");

    [Fact]
    public void A_parameter_of_a_placeholder() => Changes(
        document => document["stages"]![0]!["parameters"]!["count"] = 6, "root.activities[0].count.expression.value: 6");

    [Fact]
    public void A_parameter_of_a_stage_of_ours() => Changes(
        document => document["stages"]![2]!["parameters"]!["sparsity"] = JsonNode.Parse("0.750"), "root.activities[2].sparsity.expression.value: 0.750");

    [Fact]
    public void A_parameter_of_another_type_changes_its_type_as_well() => Changes(
        document => document["stages"]![2]!["parameters"]!["sparsity"] = "${share}",
        "root.activities[2].sparsity.typeName: String", "root.activities[2].sparsity.expression.value: ${share}");

    [Fact]
    public void A_parameter_that_is_added_or_taken_away() => Changes(
        document => document["stages"]![2]!["parameters"] = JsonNode.Parse("""{ "pattern": [2, 4] }"""),
        "root.activities[2].sparsity: gone",
        """root.activities[2].pattern: {"typeName":"Object","expression":{"type":"Object","value":"[2,4]"}}""");

    [Fact]
    public void A_default_of_the_workflow() => Changes(
        document => document["parameters"]!["share"]!["default"] = 0.25, "variables[0].value: 0.25");

    [Fact]
    public void A_default_that_an_elsa_input_cannot_have() => Changes(
        document => document["parameters"]!["folder"]!["default"] = "here",
        """customProperties: {"pipelines":{"parameters":{"folder":{"default":"here"}}}}""");

    [Fact]
    public void The_place_of_a_stage() => Changes(
        document => document["layout"]!["Say-hello"]!["x"] = 7, "root.activities[0].metadata.designer.position.x: 7");

    [Fact]
    public void The_name_and_the_description_of_the_workflow() => Changes(
        document => (document["name"], document["description"]) = ("two", "what it does"), "name: two", "description: what it does");

    [Fact]
    public void What_has_no_place_in_an_activity() => Changes(
        document => document["stages"]![2]!["retry"] = JsonNode.Parse("""{ "attempts": 3, "backoff": 1, "crashes": 3 }"""),
        """root.activities[2].customProperties.pipelines.retry: {"attempts":3,"backoff":1,"crashes":3}""");

    [Fact]
    public void A_connection_that_is_cut() => Changes(
        document => document["stages"]![2]!.AsObject().Remove("inputs"),
        "root.activities[2].customProperties.pipelines.inputs: gone", "root.connections[1]: gone");

    [Fact]
    public void A_connection_that_is_made_to_a_placeholder() => Changes(
        document => document["stages"]![0]!["inputs"] = JsonNode.Parse("""{ "In": "prune.model" }"""),
        """root.connections[2]: {"source":{"activity":"3","port":"model"},"target":{"activity":"1","port":"In"},"vertices":[]}""");

    [Fact]
    public void A_stage_that_is_taken_away_takes_its_connections_along() => Changes(
        document =>
        {
            document["stages"]!.AsArray().RemoveAt(2);
        },
        "root.activities[2]: gone", "root.connections[1]: gone");

    [Fact]
    public void A_copied_stage_is_an_activity_of_its_own() => Changes(
        document =>
        {
            var copy = document["stages"]![2]!.DeepClone();
            copy["id"] = "prune-2";
            document["stages"]!.AsArray().Add(copy);
        },
        """root.activities[3]: {"id":"prune-2","name":"prune-2","type":"Pipelines.prune.magnitude","version":1,"sparsity":{"typeName":"Double","expression":{"type":"Literal","value":0.50}},"customProperties":{"canStartWorkflow":false,"mine":1e2,"pipelines":{"inputs":{"model":"load.model"},"timeout":60.0}}}""",
        """root.connections[2]: {"source":{"activity":"2","port":"Done"},"target":{"activity":"prune-2","port":"In"},"vertices":[]}""");

    [Fact]
    public void A_placeholder_that_becomes_a_stage_of_ours_keeps_its_place_in_the_graph() => Changes(
        document =>
        {
            document["stages"]![0]!["kind"] = "data.synthetic";
            document["stages"]![0]!["parameters"] = new JsonObject { ["seed"] = 1 };
        },
        "root.activities[0].type: Pipelines.data.synthetic", "root.activities[0].text: gone", "root.activities[0].count: gone",
        """root.activities[0].seed: {"typeName":"Int64","expression":{"type":"Literal","value":1}}""",
        "root.activities[0].customProperties: {}");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void In_the_samples_as_well(int sample)
    {
        var elsa = ElsaFiles.Sample(ElsaFiles.Samples[sample]);
        var document = Document(elsa);
        var first = document["stages"]![0]!["id"]!.GetValue<string>();
        document["layout"]![first]!["y"] = -0.125;

        Assert.Equal(["root.activities[0].metadata.designer.position.y: -0.125"], Differences(elsa, document));
    }

    private static void Changes(Action<JsonObject> edit, params string[] expected)
    {
        var document = Document(Mixed);
        edit(document);

        Assert.Equal(expected.Order(), Differences(Mixed, document).Order());

        // And the document that was edited is what comes back, but for what it keeps.
        var again = Document(ElsaExport.Write(Read(document)));
        Assert.Equal(ElsaFiles.Canonical(Bare(document)), ElsaFiles.Canonical(Bare(again)));
    }

    private static JsonObject Document(string elsa) => JsonNode.Parse(Json.Pretty(ElsaImport.Read(elsa).Definition))!.AsObject();

    private static WorkflowDefinition Read(JsonObject document) => Json.Read<WorkflowDefinition>(document.ToJsonString());

    private static JsonObject Bare(JsonObject document)
    {
        var bare = document.DeepClone().AsObject();
        foreach (var holder in bare["stages"]!.AsArray().Select(stage => stage!.AsObject()).Append(bare))
            holder.Remove("elsa");
        return bare;
    }

    private static List<string> Differences(string elsa, JsonObject document) =>
        [.. Differences("", JsonNode.Parse(elsa), JsonNode.Parse(ElsaExport.Write(Read(document))))];

    private static IEnumerable<string> Differences(string path, JsonNode? before, JsonNode? after)
    {
        if (ElsaFiles.Canonical(before) == ElsaFiles.Canonical(after))
            return [];
        if (before is JsonObject a && after is JsonObject b)
        {
            return a.Concat(b).Select(member => member.Key).Distinct().SelectMany(name => Member(
                path.Length == 0 ? name : $"{path}.{name}", a.ContainsKey(name), a[name], b.ContainsKey(name), b[name]));
        }

        if (before is JsonArray x && after is JsonArray y)
        {
            return Enumerable.Range(0, Math.Max(x.Count, y.Count)).SelectMany(i => Member(
                $"{path}[{i}]", i < x.Count, x.ElementAtOrDefault(i), i < y.Count, y.ElementAtOrDefault(i)));
        }

        return [$"{path}: {Written(after)}"];
    }

    private static IEnumerable<string> Member(string path, bool was, JsonNode? before, bool is_, JsonNode? after) =>
        (was, is_) switch
        {
            (true, true) => Differences(path, before, after),
            (true, false) => [$"{path}: gone"],
            _ => [$"{path}: {Written(after)}"],
        };

    private static string Written(JsonNode? node) =>
        node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : node?.ToJsonString(Json.Options) ?? "null";
}
