namespace Pipelines.Tests.Cli;

/// <summary>Documents with a fault, run by the real program: refused before anything is begun.</summary>
public sealed class FaultyWorkflowTests
{
    private const string Load = """{ "id": "load", "kind": "model.load", "parameters": { "path": "/models/a" } }""";

    [Fact]
    public Task A_misspelt_parameter() => Refuses(
        Stages(Load, Prune(""" "sparsitty": 0.5 """)),
        "w.json", "prune", "unknown parameter 'sparsitty'", "did you mean 'sparsity'");

    [Fact]
    public Task A_value_out_of_range() => Refuses(
        Stages(Load, Prune(""" "sparsity": 1.2 """)),
        "w.json", "prune", "'sparsity' is 1.2", "between 0 and 0.99");

    [Fact]
    public Task A_value_of_another_type() => Refuses(
        Stages(Load, Prune(""" "sparsity": "half" """)),
        "w.json", "prune", "'sparsity'", "expected number");

    [Fact]
    public Task A_kind_that_does_not_exist() => Refuses(
        Stages(Load, """{ "id": "prune", "kind": "prune.magnitud", "inputs": { "model": "load.model" } }"""),
        "w.json", "prune", "'prune.magnitud'", "did you mean 'prune.magnitude'");

    [Fact]
    public Task An_edge_from_a_port_that_does_not_exist() => Refuses(
        Stages(Load, Prune("", "load.modell")),
        "w.json", "prune", "'load.modell'", "model.load has no output 'modell'", "did you mean 'model'");

    [Fact]
    public Task An_edge_into_a_port_that_does_not_exist() => Refuses(
        Stages(Load, """{ "id": "prune", "kind": "prune.magnitude", "inputs": { "model": "load.model", "modle": "load.model" } }"""),
        "w.json", "prune", "no input 'modle'", "did you mean 'model'");

    [Fact]
    public Task An_edge_from_a_stage_that_does_not_exist() => Refuses(
        Stages(Load, Prune("", "lod.model")),
        "w.json", "prune", "'lod.model'", "no stage 'lod'", "did you mean 'load'");

    [Fact]
    public Task An_edge_between_ports_of_different_types() => Refuses(
        Stages("""{ "id": "text", "kind": "data.synthetic" }""", Prune("", "text.data")),
        "w.json", "prune", "takes a checkpoint", "text.data is a dataset");

    [Fact]
    public Task An_input_that_nothing_feeds() => Refuses(
        Stages("""{ "id": "prune", "kind": "prune.magnitude" }"""),
        "w.json", "prune", "input 'model' (checkpoint) is not connected");

    [Fact]
    public Task A_circle_of_stages() => Refuses(
        Stages(
            """{ "id": "one", "kind": "prune.magnitude", "inputs": { "model": "two.model" } }""",
            """{ "id": "two", "kind": "prune.magnitude", "inputs": { "model": "one.model" } }"""),
        "w.json", "circle", "one → two → one");

    [Fact]
    public Task Two_stages_of_one_id() => Refuses(Stages(Load, Load), "w.json", "load", "2 stages have this id");

    [Fact]
    public Task An_input_that_is_given_twice() => Refuses(
        Stages(Load, """{ "id": "prune", "kind": "prune.magnitude", "inputs": { "model": "load.model", "model": "load.model" } }"""),
        "w.json", "Duplicate", "stages[1].inputs.model");

    [Fact]
    public Task A_property_that_workflows_do_not_have() => Refuses(
        """{ "name": "w", "stages": [], "stagess": [] }""", "w.json", "unknown property 'stagess'", "line 1");

    [Theory]
    [InlineData("""{ "name": "w" }""", "missing 'stages'")]
    [InlineData("""{ "name": "w", "stages": 3 }""", "another type", "stages")]
    [InlineData("""{ "name": "w", "stages": [{ "kind": "a" }] }""", "missing 'id'", "stages[0]")]
    [InlineData("""{ "name": "w", "stages": [], "stages": [] }""", "Duplicate property 'stages'")]
    [InlineData("""{ "name": null, "stages": [] }""", "null is not allowed", "name")]
    [InlineData("""{ "name": "w", "stages": [], "parameters": { "p": { "type": "float" } } }""", "another type", "parameters.p.type")]
    public Task A_document_that_has_not_the_shape_of_a_workflow(string workflow, params string[] said) =>
        Refuses(workflow, ["w.json", "line 1", .. said]);

    [Theory]
    [InlineData("""{ "name": "w", "stages": [null] }""", "stages[0] is null")]
    [InlineData("""{ "name": "w", "stages": [], "parameters": { "p": null } }""", "parameter 'p' is null")]
    [InlineData("""{ "name": "w", "stages": [], "outputs": { "o": null } }""", "output 'o' is null")]
    [InlineData(
        """{ "name": "w", "stages": [{ "id": "prune", "kind": "prune.magnitude", "inputs": { "model": null } }] }""",
        "prune", "input 'model' is null")]
    public Task A_null_where_something_must_be(string workflow, params string[] said) => Refuses(workflow, ["w.json", .. said]);

    [Fact]
    public Task A_number_that_no_double_holds() => Refuses(
        Stages(Load, Prune(""" "sparsity": 1e999 """)), "w.json", "prune", "'sparsity' is 1e999", "too large");

    // The folder of results is called after the workflow, so a name must not lead out of the current one.
    [Theory]
    [InlineData("")]
    [InlineData("../w")]
    public Task A_name_that_no_folder_can_have(string name) => Refuses(
        $$"""{ "name": "{{name}}", "stages": [{{Load}}] }""", "w.json", $"the name is '{name}'", "without slashes");

    [Fact]
    public Task A_document_without_stages() => Refuses("""{ "name": "w", "stages": [] }""", "w.json", "no stages");

    [Fact]
    public Task A_file_that_is_not_JSON() => Refuses("stages: [load]", "w.json", "invalid", "line 1");

    [Fact]
    public Task An_empty_file() => Refuses("", "w.json", "line 1");

    [Fact]
    public Task All_faults_at_once() => Refuses(
        Stages(Load, Prune(""" "sparsity": 1.2 """, "load.modell")),
        "2 faults", "'sparsity' is 1.2", "no output 'modell'");

    [Fact]
    public async Task A_file_that_is_not_there()
    {
        using var place = new Place();

        Refusal.Is(await place.RunAsync("run", "absent.json"), "absent.json", "cannot be read");
    }

    [Fact]
    public async Task A_folder_instead_of_a_file()
    {
        using var place = new Place();

        Refusal.Is(await place.RunAsync("run", place.Folder), place.Folder, "cannot be read");
    }

    /// <summary><c>run</c> and <c>validate</c> say the same, and neither leaves anything behind.</summary>
    private static async Task Refuses(string workflow, params string[] said)
    {
        using var place = new Place();
        place.Write("w.json", workflow);

        var run = await place.RunAsync("run", "w.json");
        var validated = await place.RunAsync("validate", "w.json");

        Refusal.Is(run, said);
        Assert.Equal(run, validated);
        Assert.Equal([place["w.json"]], Directory.GetFileSystemEntries(place.Folder));
    }

    private static string Stages(params string[] stages) => $$"""{ "name": "w", "stages": [{{string.Join(", ", stages)}}] }""";

    private static string Prune(string parameters, string model = "load.model") =>
        $$$"""{ "id": "prune", "kind": "prune.magnitude", "parameters": { {{{parameters}}} }, "inputs": { "model": "{{{model}}}" } }""";
}
