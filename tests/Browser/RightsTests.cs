using System.Net.Http.Json;
using Microsoft.Playwright;
using Pipelines.Tests.Cli;
using Pipelines.Tests.Fixtures;
using static Microsoft.Playwright.Assertions;

namespace Pipelines.Tests.Browser;

/// <summary>Schedules, strangers and files from Elsa, in a real browser.</summary>
public sealed class RightsTests(FreshDatabase fresh, Chromium chromium) : IClassFixture<FreshDatabase>
{
    private const int Longest = 180_000;

    private static readonly object Definition = new
    {
        name = "nightly",
        stages = new[] { new { id = "text", kind = "data.synthetic", parameters = new { characters = 20000, evaluationCharacters = 4000 } } },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = Longest)]
    public async Task A_workflow_is_scheduled_previewed_and_seen_to_fire()
    {
        await using var studio = await Studio.OpenAsync(fresh, chromium);
        await PublishAsync(studio);
        await using var walk = await studio.WalkAsync("#/schedules");
        await walk.Page.GetByRole(AriaRole.Button, new() { Name = "New schedule…" }).ClickAsync();
        var dialog = walk.Page.Locator("dialog");
        await dialog.GetByLabel("Name", new() { Exact = true }).FillAsync("every-night");
        await dialog.GetByLabel("Cron", new() { Exact = true }).FillAsync("0 2 * * *");
        await Expect(dialog.GetByText("02:00").Or(dialog.GetByText("2:00")).First).ToBeVisibleAsync();
        await walk.PictureAsync("schedule-new");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Add the schedule" }).ClickAsync();
        await Studio.UntilAsync(() => studio.GetAsync("api/schedules"), schedules => schedules.GetArrayLength() == 1);

        await walk.Page.GotoAsync(new Uri(studio.Address, "#/schedules/every-night").ToString());
        await walk.Page.GetByRole(AriaRole.Button, new() { Name = "Start now…" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = false }).First.ClickAsync();
        await Studio.UntilAsync(
            () => studio.GetAsync("api/runs?name=nightly"),
            runs => runs.GetArrayLength() == 1 && runs[0].GetProperty("state").GetString() == "succeeded");
        await walk.PictureAsync("schedule");
    }

    [Fact(Timeout = Longest)]
    public async Task A_viewer_logs_in_and_may_look_but_not_start_a_run()
    {
        using var place = new Place { Data = fresh.DataFolder };
        var added = await place.RunAsync(fresh.ConnectionString, ["token", "add", $"eva-{Guid.NewGuid():N}", "--role", "viewer"]);
        Assert.True(added.Code == 0, added.Errors);
        var token = added.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).First(word => word.StartsWith("pl_", StringComparison.Ordinal));
        await using var studio = await Studio.OpenAsync(fresh, chromium, "--require-token");
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
        await using var studio = await Studio.OpenAsync(fresh, chromium);
        await using var walk = await studio.WalkAsync("#/workflows");
        var chooser = await walk.Page.RunAndWaitForFileChooserAsync(() =>
            walk.Page.GetByRole(AriaRole.Button, new() { Name = "Import a file…" }).ClickAsync());
        await chooser.SetFilesAsync(file);
        await Expect(walk.Page.Locator(".react-flow__node").First).ToBeVisibleAsync();
        await walk.PictureAsync("elsa");

        var name = (await studio.GetAsync("api/definitions"))[0].GetProperty("name").GetString()!;
        var draft = await studio.GetAsync($"api/definitions/{name}");
        using var client = new HttpClient { BaseAddress = studio.Address };
        var untouched = await client.PostAsJsonAsync("api/elsa/export", draft.GetProperty("definition"), Cancellation);
        var exported = await untouched.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>(Cancellation);

        var original = System.Text.Json.JsonElement.Parse(await File.ReadAllTextAsync(file, Cancellation));
        Assert.True(System.Text.Json.JsonElement.DeepEquals(original.GetProperty("root"), exported.GetProperty("root")));
    }

    private static async Task PublishAsync(Studio studio)
    {
        (await studio.SendAsync(HttpMethod.Put, "api/definitions/nightly", new { definition = Definition, revision = 0 })).EnsureSuccessStatusCode();
        (await studio.SendAsync(HttpMethod.Post, "api/definitions/nightly/publish", new { revision = 1 })).EnsureSuccessStatusCode();
    }
}
