using System.IO.Compression;
using Microsoft.Playwright;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static Microsoft.Playwright.Assertions;

namespace Pipelines.Tests.Browser;

/// <summary>Whole ways through the product, in a real browser, on a real server with a real worker.</summary>
public sealed class JourneyTests(TestCluster cluster, Chromium chromium) : BrowserTests(cluster, chromium)
{
    [Fact(Timeout = Longest)]
    public async Task The_quickstart_is_drawn_by_hand_published_run_watched_and_downloaded()
    {
        await using var studio = await OpenAsync();
        await using var walk = await studio.WalkAsync();
        await walk.NewAsync("drawn");
        (string Id, string Kind)[] stages =
        [
            ("text", "data.synthetic"), ("train", "model.train"), ("calibrate", "calibrate.statistics"), ("prune", "prune.wanda"),
            ("recover", "finetune.lora"), ("dense", "evaluate.perplexity"), ("pruned", "evaluate.perplexity"),
            ("recovered", "evaluate.perplexity"), ("export", "export.huggingface"),
        ];
        foreach (var (id, kind) in stages)
            await walk.AddAsync(kind, id);
        await walk.TidyAsync();
        (string From, string Output, string To, string Input)[] edges =
        [
            ("text", "data", "train", "data"), ("train", "model", "calibrate", "model"), ("text", "data", "calibrate", "calibration"),
            ("train", "model", "prune", "model"), ("calibrate", "statistics", "prune", "statistics"),
            ("prune", "model", "recover", "model"), ("text", "data", "recover", "data"),
            ("train", "model", "dense", "model"), ("text", "evaluation", "dense", "data"),
            ("prune", "model", "pruned", "model"), ("text", "evaluation", "pruned", "data"),
            ("recover", "model", "recovered", "model"), ("text", "evaluation", "recovered", "data"),
            ("recover", "model", "export", "model"),
        ];
        foreach (var (from, output, to, input) in edges)
        {
            await walk.ConnectAsync(from, output, to, input);
            await studio.DraftAsync("drawn", draft => Fed(draft, to, input) == $"{from}.{output}");
        }

        await walk.TidyAsync();
        foreach (var (stage, parameter, value) in Small)
        {
            await walk.ChooseAsync(stage);
            await walk.SetAsync(parameter, value);
        }

        await studio.DraftAsync("drawn", draft => draft.Stages.Single(stage => stage.Id == "recover").Parameters?.GetProperty("steps").GetInt32() == 4);
        await walk.PictureAsync("designer-drawn");
        await walk.Page.GetByRole(AriaRole.Button, new() { Name = "Publish", Exact = true }).First.ClickAsync();
        await walk.Page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await Expect(walk.Page.GetByText("Published v1")).ToBeVisibleAsync();

        await walk.Page.GetByRole(AriaRole.Button, new() { Name = "Run", Exact = true }).ClickAsync();
        var start = walk.Page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Start", Exact = false });
        await Expect(start).ToContainTextAsync("to compute");
        await walk.PictureAsync("run-dialog");
        await start.ClickAsync();
        await Expect(walk.Page.GetByText("succeeded").First).ToBeVisibleAsync(new() { Timeout = 120_000 });
        var runs = await Studio.UntilAsync(
            () => studio.GetAsync("api/runs?limit=1"), runs => runs[0].GetProperty("state").GetString() == "succeeded");
        await walk.PictureAsync("run-succeeded");

        var run = await studio.GetAsync($"api/runs/{runs[0].GetProperty("id").GetString()}");
        Assert.Equal(stages.Length, run.GetProperty("stages").GetArrayLength());
        await walk.ChooseAsync("export");
        await walk.Page.GetByRole(AriaRole.Complementary, new() { Name = "Stage" }).GetByRole(AriaRole.Link).ClickAsync();
        await Expect(walk.Page.GetByRole(AriaRole.Heading, new() { Name = "Artifact", Exact = false })).ToBeVisibleAsync();
        await Expect(walk.Page.GetByText("made by export")).ToBeVisibleAsync();
        await walk.PictureAsync("artifact");
        var download = await walk.Page.RunAndWaitForDownloadAsync(() =>
            walk.Page.GetByRole(AriaRole.Link, new() { Name = "Download all (zip)" }).ClickAsync());
        Assert.EndsWith(".zip", download.SuggestedFilename, StringComparison.Ordinal);
        await using var archive = await ZipFile.OpenReadAsync(await download.PathAsync(), Cancellation);
        Assert.True(archive.GetEntry("model.safetensors") is { Length: > 0 }, string.Join(", ", archive.Entries.Select(entry => entry.FullName)));
    }

    [Fact(Timeout = Longest)]
    public async Task Two_windows_never_overwrite_each_other_silently()
    {
        await using var studio = await OpenAsync();
        await using var one = await studio.WalkAsync();
        await one.NewAsync("shared");
        await one.AddAsync("data.synthetic", "text");
        await studio.DraftAsync("shared", draft => draft.Stages.Any(stage => stage.Id == "text"));
        await using var two = await studio.WalkAsync("#/designer/shared");
        await two.ChooseAsync("text");

        // The second window is cut off while the first one saves, so it cannot have seen that.
        await two.Page.Context.SetOfflineAsync(true);
        await two.SetAsync("seed", "2");
        await one.ChooseAsync("text");
        await one.SetAsync("seed", "1");
        await studio.DraftAsync("shared", draft => Seed(draft) == 1);
        await two.Page.Context.SetOfflineAsync(false);

        await Expect(two.Page.GetByText("Changed elsewhere")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await two.PictureAsync("conflict");
        Assert.Equal(1, Seed(await studio.DraftAsync("shared", _ => true)));
        await two.Page.GetByText("Keep mine").ClickAsync();
        await studio.DraftAsync("shared", draft => Seed(draft) == 2);
    }

    [Fact(Timeout = Longest)]
    public async Task A_stage_that_fails_says_why_is_repaired_and_the_run_goes_on()
    {
        await using var studio = await OpenAsync();
        var file = Path.Combine(Fresh.DataFolder, "text.txt");
        var definition = Json.Read<WorkflowDefinition>($$"""
            { "name": "broken", "stages": [
              { "id": "good", "kind": "data.synthetic", "parameters": { "characters": 20000, "evaluationCharacters": 4000 } },
              { "id": "bad", "kind": "data.text", "parameters": { "path": "{{file}}", "length": 16 } } ] }
            """);
        var id = await studio.StartAsync(definition);
        Assert.Equal("failed", (await studio.EndedAsync(id)).GetProperty("state").GetString());
        await using var walk = await studio.WalkAsync($"#/runs/{id}");

        await walk.ChooseAsync("bad");
        await Expect(walk.Page.GetByText("the text cannot be read").First).ToBeVisibleAsync();
        await walk.PictureAsync("run-failed");
        await File.WriteAllTextAsync(file, string.Concat(Enumerable.Repeat("a text that is long enough. ", 400)), Cancellation);
        await walk.Page.GetByRole(AriaRole.Button, new() { Name = "Resume", Exact = true }).ClickAsync();
        await Expect(walk.Page.GetByText("Will run")).ToBeVisibleAsync();
        await walk.PictureAsync("resume");
        await walk.Page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Run", Exact = true }).ClickAsync();

        await Expect(walk.Page.Locator("dialog")).ToHaveCountAsync(0);
        var ended = await Studio.UntilAsync(() => studio.GetAsync($"api/runs/{id}"), run => run.GetProperty("state").GetString() != "running");
        Assert.True(ended.GetProperty("state").GetString() == "succeeded", ended.GetProperty("stages").GetRawText());
        Assert.Equal(1, ended.GetProperty("stages").EnumerateArray().Single(stage => stage.GetProperty("id").GetString() == "good").GetProperty("attempt").GetInt32());
    }

    [Fact(Timeout = Longest)]
    public async Task A_run_is_drawn_once_it_is_known_how_high_its_stages_are()
    {
        await using var studio = await OpenAsync();
        var id = await studio.StartAsync(Json.Read<WorkflowDefinition>("""
            { "name": "one", "stages": [ { "id": "good", "kind": "data.synthetic", "parameters": { "characters": 20000, "evaluationCharacters": 4000 } } ] }
            """));
        await studio.EndedAsync(id);
        await using var walk = await studio.WalkAsync();
        var listed = new TaskCompletionSource();
        await walk.Page.RouteAsync("**/api/activities", async route =>
        {
            await listed.Task;
            await route.ContinueAsync();
        });

        await walk.GoAsync($"#/runs/{id}", ".run-canvas");
        await Expect(walk.Page.GetByText("1 of 1 stages")).ToBeVisibleAsync();
        await walk.Page.EvaluateAsync("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        Assert.Equal(0, await walk.Node("good").CountAsync());
        listed.SetResult();

        await Expect(walk.Node("good")).ToBeVisibleAsync();
    }

    [Fact(Timeout = Longest)]
    public async Task By_keys_alone_from_an_empty_canvas_to_connected_stages()
    {
        await using var studio = await OpenAsync();
        await using var walk = await studio.WalkAsync();
        await walk.NewAsync("keys");

        await walk.PressAsync("n");
        await walk.Page.Keyboard.TypeAsync("synthetic");
        await walk.PressAsync("Enter");
        await Expect(walk.Page.Locator(".react-flow__node")).ToHaveCountAsync(1);
        await walk.PressAsync("Escape");
        await walk.PressAsync("c");
        await Expect(walk.Page.GetByRole(AriaRole.Listbox)).ToBeVisibleAsync();
        await walk.PressAsync("Enter");
        await walk.Page.Keyboard.TypeAsync("model.train");
        await walk.PressAsync("Enter");

        var draft = await studio.DraftAsync("keys", draft => draft.Stages.Count == 2 && draft.Stages[1].Inputs is { Count: 1 });
        Assert.Equal("synthetic.data", draft.Stages[1].Inputs!["data"].ToString());
        await walk.PressAsync("Control+z");
        await studio.DraftAsync("keys", undone => undone.Stages.Count == 1);
        await walk.PressAsync("Control+y");
        await studio.DraftAsync("keys", redone => redone.Stages.Count == 2);
    }

    [Fact(Timeout = Longest)]
    public async Task Seen_from_afar_a_stage_is_a_box_and_one_that_is_added_there_is_joined_at_its_ports()
    {
        await using var studio = await OpenAsync();
        (await studio.SendAsync(HttpMethod.Put, "api/definitions/wide", new
        {
            definition = new
            {
                name = "wide",
                stages = new[] { new { id = "near", kind = "data.synthetic" }, new { id = "far", kind = "data.synthetic" } },
                layout = new { near = new { x = 0, y = 0 }, far = new { x = 9000, y = 0 } },
            },
            revision = 0,
        })).EnsureSuccessStatusCode();
        await using var walk = await studio.WalkAsync("#/designer/wide");
        var afar = walk.Page.Locator(".react-flow[data-afar]");
        await Expect(afar).ToHaveCountAsync(1);
        await Expect(walk.Node("near").Locator(".stage-id")).ToBeHiddenAsync();

        await walk.Node("near").ClickAsync();
        await walk.PressAsync("c");
        await Expect(walk.Page.GetByRole(AriaRole.Listbox)).ToBeVisibleAsync();
        await walk.PressAsync("Enter");
        await walk.Page.Keyboard.TypeAsync("model.train");
        await walk.PressAsync("Enter");
        await Expect(walk.Page.Locator(".react-flow__edge")).ToHaveCountAsync(1);
        await Expect(afar).ToHaveCountAsync(1);
        while (await afar.CountAsync() > 0)
            await walk.Page.GetByRole(AriaRole.Button, new() { Name = "Zoom In" }).ClickAsync();

        await Expect(walk.Node("train").Locator(".stage-id")).ToBeVisibleAsync();
        Assert.True(await walk.Page.EvaluateAsync<bool>("""
            () => {
              const path = document.querySelector('.react-flow__edge-path');
              const end = path.getPointAtLength(path.getTotalLength()).matrixTransform(path.getScreenCTM());
              const port = document.querySelector("[data-id='train'] [data-handleid='in:data']").getBoundingClientRect();
              return end.x > port.left - 1 && end.x < port.right + 1 && end.y > port.top - 1 && end.y < port.bottom + 1;
            }
            """), "the edge ends beside the port");
    }

    private static readonly (string Stage, string Parameter, string Value)[] Small =
    [
        ("text", "characters", "20000"), ("text", "evaluationCharacters", "4000"), ("train", "hidden", "32"), ("train", "layers", "2"),
        ("train", "heads", "2"), ("train", "intermediate", "64"), ("train", "vocabulary", "300"), ("train", "steps", "10"),
        ("recover", "steps", "4"),
    ];

    private static string? Fed(WorkflowDefinition draft, string stage, string input) =>
        draft.Stages.SingleOrDefault(one => one.Id == stage)?.Inputs?.GetValueOrDefault(input)?.ToString();

    private static int? Seed(WorkflowDefinition draft) =>
        draft.Stages.Single().Parameters is { } parameters && parameters.TryGetProperty("seed", out var seed) ? seed.GetInt32() : null;
}
