using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Tests.Browser;

/// <summary>A view of the product: where it is, and what stands there when it is drawn.</summary>
/// <param name="Ready">A selector.</param>
internal sealed record View(string Name, string Place, string Ready)
{
    /// <summary>Where nothing has happened yet as well as where something has.</summary>
    public static IReadOnlyList<View> Everywhere { get; } =
    [
        new("dashboard", "#/", ".health-head"), new("workflows", "#/workflows", "text=Begin with nothing"),
        new("runs", "#/runs", "table"), new("schedules", "#/schedules", "text=New schedule…"),
        new("workers", "#/workers", ".worker"), new("access", "#/access", "text=No token was given yet"), new("nothing", "#/nowhere", "text=There is no such page"),
    ];
}

/// <summary>One of everything that a page can show: a workflow that was published and changed, runs, an artifact, a schedule.</summary>
internal sealed record Exhibits(string Run, string Failed, string Classifiers, string Artifact)
{
    private static readonly JsonElement Definition = JsonElement.Parse("""
        { "name": "shown", "description": "Prunes what it trains, twice, and measures it.",
          "parameters": { "sparsity": { "type": "number", "default": 0.5, "description": "Share of the weights to zero" } },
          "stages": [
            { "id": "text", "kind": "data.synthetic", "parameters": { "characters": 20000, "evaluationCharacters": 4000 } },
            { "id": "train", "kind": "model.train", "inputs": { "data": "text.data" },
              "parameters": { "hidden": 32, "layers": 2, "heads": 2, "intermediate": 64, "vocabulary": 300, "steps": 10 } },
            { "id": "slim", "matrix": { "values": { "share": [0.3, 0.6] } }, "stages": [
              { "id": "prune", "kind": "prune.magnitude", "parameters": { "sparsity": "${share}" }, "inputs": { "model": "train.model" } } ] },
            { "id": "dense", "kind": "evaluate.perplexity", "inputs": { "model": "train.model", "data": "text.evaluation" } },
            { "id": "magnitude", "kind": "prune.magnitude", "parameters": { "sparsity": "${sparsity}" }, "inputs": { "model": "train.model" } },
            { "id": "pruned", "kind": "evaluate.perplexity", "inputs": { "model": "magnitude.model", "data": "text.evaluation" } },
            { "id": "report", "kind": "report", "inputs": { "dense": "dense.measurement", "pruned": "pruned.measurement" } } ],
          "outputs": { "model": "magnitude.model", "report": "report.report" },
          "notes": [ { "text": "Magnitude, to compare with.", "x": 0, "y": 0, "width": 200, "height": 100 } ] }
        """);

    /// <summary>Two image classifiers, measured class by class and timed in turns.</summary>
    private static readonly JsonElement Recognition = JsonElement.Parse("""
        { "name": "recognition",
          "stages": [
            { "id": "images", "kind": "data.synthetic-images", "parameters": { "classes": 6, "perClass": 20, "evaluationPerClass": 20, "size": 8 } },
            { "id": "train", "kind": "model.train-classifier", "inputs": { "data": "images.images" }, "parameters": { "epochs": 2, "batch": 20, "pad": 1 } },
            { "id": "thin", "kind": "prune.channels", "inputs": { "model": "train.model" } },
            { "id": "dense", "kind": "evaluate.accuracy", "inputs": { "model": "train.model", "data": "images.evaluation" } },
            { "id": "pruned", "kind": "evaluate.accuracy", "inputs": { "model": "thin.model", "data": "images.evaluation" } },
            { "id": "latency", "kind": "evaluate.latency", "inputs": { "dense": "train.model", "pruned": "thin.model" },
              "parameters": { "batch": 4, "rounds": 3 } } ],
          "outputs": { "scores": "pruned.scores", "speed": "latency.speed" } }
        """);

    public IReadOnlyList<View> Views =>
    [
        .. View.Everywhere,
        new("designer", "#/designer/shown", ".react-flow__node"),
        new("run", $"#/runs/{Run}", ".react-flow__node"), new("run-failed", $"#/runs/{Failed}", ".react-flow__node"),
        new("compare", $"#/compare?ids={Run},{Failed}", "table"), new("compare-none", "#/compare", "text=No runs are chosen"),
        new("artifact", $"#/artifacts/{Artifact}", "text=Where it comes from"),
        new("schedule", "#/schedules/nightly", "text=Next times"),
        new("run-gone", $"#/runs/{Guid.Empty}", "[role=alert]"),
    ];

    public static async Task<Exhibits> MakeAsync(Studio studio)
    {
        var run = await studio.StartAsync(Definition);
        var classifiers = await studio.StartAsync(Recognition);
        var failed = await studio.StartAsync(new
        {
            name = "broken",
            stages = new[] { new { id = "bad", kind = "data.text", parameters = new { path = "/nowhere.txt", length = 16 } } },
        });
        await SentAsync(studio, HttpMethod.Put, "api/definitions/shown", new { definition = Definition, revision = 0 });
        await SentAsync(studio, HttpMethod.Post, "api/definitions/shown/publish", new { revision = 1 });
        var changed = Json.Read<WorkflowDefinition>(Definition.GetRawText()) with { Description = "Changed since." };
        await SentAsync(studio, HttpMethod.Put, "api/definitions/shown", new { definition = changed, revision = 1 });
        await SentAsync(studio, HttpMethod.Post, "api/schedules", new { name = "nightly", cron = "0 2 * * *", definition = "shown" });

        Assert.Equal("failed", (await studio.EndedAsync(failed)).GetProperty("state").GetString());
        await SucceededAsync(studio, classifiers);
        var ended = await SucceededAsync(studio, run);
        return new Exhibits(run, failed, classifiers, ended.GetProperty("outputs").GetProperty("model").GetProperty("hash").GetString()!);
    }

    private static async Task<JsonElement> SucceededAsync(Studio studio, string run)
    {
        var ended = await studio.EndedAsync(run);
        Assert.True(ended.GetProperty("state").GetString() == "succeeded", ended.GetProperty("stages").GetRawText());
        return ended;
    }

    private static async Task SentAsync(Studio studio, HttpMethod method, string path, object body)
    {
        var answer = await studio.SendAsync(method, path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
