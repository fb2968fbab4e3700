using Pipelines.Tests.Guards;
using Pipelines.Tests.Workflows.Elsa;

namespace Pipelines.Tests.Cli;

public sealed class ElsaCommandTests : IDisposable
{
    private readonly Place place = new();

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task An_elsa_workflow_is_imported_with_warnings_and_exported_as_it_was()
    {
        place.Write("elsa.json", ElsaFiles.Sample("guides-get-user.json"));

        var import = await place.RunAsync("elsa", "import", "elsa.json", "--out", "ours.json");
        var export = await place.RunAsync("elsa", "export", "ours.json");
        var validate = await place.RunAsync("validate", "ours.json");

        Assert.Equal((0, ""), (import.Code, import.Output));
        Assert.Contains("warning: FlowSendHttpRequest1: Elsa.FlowSendHttpRequest is Elsa's: it is kept as a placeholder", import.Message);
        Assert.Equal((0, ""), (export.Code, export.Errors));
        Assert.Equal(ElsaFiles.Canonical(ElsaFiles.Sample("guides-get-user.json")), ElsaFiles.Canonical(export.Output));
        Refusal.Is(validate, "ours.json: ", "'elsa.HttpEndpoint' is Elsa's: it is kept, and cannot be run here");
    }

    [Fact]
    public async Task A_workflow_of_ours_goes_to_elsa_and_comes_back_without_a_word()
    {
        var template = Repository.File("workflows", "templates", "llama-sweep.json");

        var export = await place.RunAsync("elsa", "export", template, "--out", "elsa.json");
        var import = await place.RunAsync("elsa", "import", "elsa.json", "--out", "ours.json");
        var validate = await place.RunAsync("validate", "ours.json", "--set", "model=m", "--set", "text=t", "--set", "evaluation=e");

        Assert.Equal((0, "", ""), (export.Code, export.Output, export.Errors));
        Assert.Equal((0, "", ""), (import.Code, import.Output, import.Errors));
        Assert.Equal((0, ""), (validate.Code, validate.Errors));
    }

    [Fact]
    public async Task What_is_no_elsa_workflow() => Refusal.Is(
        await place.RunAsync("elsa", "import", place.Write("ours.json", "{ \"name\": \"w\", \"stages\": [] }")),
        "ours.json: it is no Elsa workflow but one of ours");

    [Fact]
    public async Task A_file_that_is_not_there() => Refusal.Is(
        await place.RunAsync("elsa", "import", "none.json"), "none.json: cannot be read");

    [Fact]
    public async Task A_document_that_is_none() => Refusal.Is(
        await place.RunAsync("elsa", "export", place.Write("w.json", "{ \"name\": \"w\", \"stagse\": [] }")), "w.json", "unknown property 'stagse'");

    [Fact]
    public async Task A_place_that_cannot_be_written_to() => Refusal.Is(
        await place.RunAsync("elsa", "export", Repository.File("workflows", "templates", "quickstart.json"), "--out", "none/elsa.json"), "--out none/elsa.json");
}
