using System.Text.Json;
using Microsoft.Playwright;
using Pipelines.Tests.Cli;
using Pipelines.Tests.Fixtures;
using static Microsoft.Playwright.Assertions;

namespace Pipelines.Tests.Browser;

/// <summary>Schedules, strangers and files from Elsa, in a real browser.</summary>
public sealed class RightsTests(TestCluster cluster, Chromium chromium) : BrowserTests(cluster, chromium)
{
    private static readonly object Definition = new
    {
        name = "nightly",
        stages = new[] { Studio.SmallText },
    };

    [Fact(Timeout = Longest)]
    public async Task A_workflow_is_scheduled_previewed_and_seen_to_fire()
    {
        await using var studio = await OpenAsync();
        await PublishAsync(studio);
        await using var walk = await studio.WalkAsync("#/schedules");
        await walk.Page.GetByRole(AriaRole.Button, new() { Name = "New schedule…" }).ClickAsync();
        var dialog = walk.Page.Locator("dialog");
        var name = dialog.GetByLabel("Name", new() { Exact = true });
        await name.FillAsync("every-night");
        var cron = dialog.GetByLabel("Cron", new() { Exact = true });
        await cron.FillAsync("0 2 * * *");
        await Expect(dialog.Locator(".times li").First).ToContainTextAsync("02:00");
        await walk.PictureAsync("schedule-new");
        await name.FillAsync("every-minute");
        await cron.FillAsync("* * * * *");
        await Expect(dialog.Locator(".times li").First).Not.ToContainTextAsync("02:00");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Add the schedule" }).ClickAsync();

        // The first row is the latest; what the schedule starts next minute comes above what is looked at here.
        await Expect(walk.Page.GetByText("It has not fired yet.")).ToBeVisibleAsync();
        var first = walk.Page.GetByRole(AriaRole.Region, new() { Name = "History" }).Locator("tbody tr").Last;
        await Expect(first).ToContainTextAsync("succeeded", new() { Timeout = 100_000 });
        await Expect(first).Not.ToContainTextAsync("by hand");
        await walk.Page.GetByRole(AriaRole.Button, new() { Name = "Start now…" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = true }).ClickAsync();
        await Expect(walk.Page.GetByText("by hand").First).ToBeVisibleAsync();
        await walk.PictureAsync("schedule");

        await first.GetByRole(AriaRole.Link).ClickAsync();
        await Expect(walk.Page.GetByRole(AriaRole.Heading, new() { Name = "nightly" })).ToBeVisibleAsync();
        await Expect(walk.Page.GetByText("1 of 1 stages")).ToBeVisibleAsync();
    }

    [Fact(Timeout = Longest)]
    public async Task A_viewer_logs_in_and_may_look_but_not_start_a_run()
    {
        using var place = new Place { Data = Fresh.DataFolder };
        var added = await place.RunAsync(Fresh.ConnectionString, ["token", "add", "eva", "--role", "viewer"]);
        Assert.True(added.Code == 0, added.Errors);
        var token = added.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).First(word => word.StartsWith("pl_", StringComparison.Ordinal));
        await using var studio = await OpenAsync("--require-token");
        await using var walk = await studio.WalkAsync("#/runs");
        await Expect(walk.Page.GetByText("Who are you?")).ToBeVisibleAsync();
        await walk.PictureAsync("login");

        await walk.Page.GetByLabel("Token").FillAsync(token);
        await walk.Page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        await Expect(walk.Page.GetByRole(AriaRole.Heading, new() { Name = "Runs" })).ToBeVisibleAsync();
        var refused = await walk.Page.EvaluateAsync<string>("""
            async () => {
              const answer = await fetch('api/runs', { method: 'POST',
                headers: { 'content-type': 'application/json', 'x-requested-with': 'pipelines' },
                body: JSON.stringify({ definition: { name: 'w', stages: [] }, values: {} }) });
              return `${answer.status} ${(await answer.json()).detail}`;
            }
            """);

        Assert.StartsWith("403 ", refused, StringComparison.Ordinal);
        Assert.Contains("needs the role operator", refused, StringComparison.Ordinal);
    }

    [Fact(Timeout = Longest)]
    public async Task A_file_of_Elsa_is_imported_changed_exported_and_differs_in_that_only()
    {
        var file = Golden.Shared("data/elsa/guides-get-user.json");
        await using var studio = await OpenAsync();
        await using var walk = await studio.WalkAsync("#/workflows");
        var chooser = await walk.Page.RunAndWaitForFileChooserAsync(() =>
            walk.Page.GetByRole(AriaRole.Button, new() { Name = "Import a file…" }).ClickAsync());
        await chooser.SetFilesAsync(file);
        await Expect(walk.Page.Locator(".react-flow__node").First).ToBeVisibleAsync();
        await walk.PictureAsync("elsa");

        await walk.ChooseAsync("WriteHttpResponse2");
        await walk.RenameAsync("Nobody");
        var renamed = await ExportAsync(walk);
        await walk.ChooseAsync("FlowSendHttpRequest1");
        await walk.SetAsync("method", "POST");
        var posted = await ExportAsync(walk);

        var original = JsonElement.Parse(await File.ReadAllTextAsync(file, Cancellation));
        Assert.Equal([".root.activities[2].name: \"WriteHttpResponse2\" -> \"Nobody\""], Differences(original, renamed));
        Assert.Equal([".root.activities[0].method.expression.value: \"GET\" -> \"POST\""], Differences(renamed, posted));
    }

    /// <summary>What the designer hands out for Elsa, as it lies on the disk.</summary>
    private static async Task<JsonElement> ExportAsync(Walk walk)
    {
        var download = await walk.Page.RunAndWaitForDownloadAsync(async () =>
        {
            await walk.PressAsync("Control+k");
            await walk.Page.Keyboard.TypeAsync("export as a file for elsa");
            await walk.PressAsync("Enter");
        });
        return JsonElement.Parse(await File.ReadAllTextAsync(await download.PathAsync(), Cancellation));
    }

    private static IEnumerable<string> Differences(JsonElement one, JsonElement other, string path = "")
    {
        if (JsonElement.DeepEquals(one, other))
            return [];
        if (one.ValueKind == JsonValueKind.Array && other.ValueKind == JsonValueKind.Array && one.GetArrayLength() == other.GetArrayLength())
            return one.EnumerateArray().Zip(other.EnumerateArray()).SelectMany((pair, index) => Differences(pair.First, pair.Second, $"{path}[{index}]"));
        if (one.ValueKind != JsonValueKind.Object || other.ValueKind != JsonValueKind.Object)
            return [$"{path}: {one.GetRawText()} -> {other.GetRawText()}"];
        var names = one.EnumerateObject().Concat(other.EnumerateObject()).Select(member => member.Name).Distinct();
        return names.SelectMany(name => (one.TryGetProperty(name, out var a), other.TryGetProperty(name, out var b)) is (true, true)
            ? Differences(a, b, $"{path}.{name}")
            : [$"{path}.{name}: only in one"]);
    }

    private static async Task PublishAsync(Studio studio)
    {
        (await studio.SendAsync(HttpMethod.Put, "api/definitions/nightly", new { definition = Definition, revision = 0 })).EnsureSuccessStatusCode();
        (await studio.SendAsync(HttpMethod.Post, "api/definitions/nightly/publish", new { revision = 1 })).EnsureSuccessStatusCode();
    }
}
