using Microsoft.Playwright;
using Pipelines.Tests.Fixtures;
using static Microsoft.Playwright.Assertions;

namespace Pipelines.Tests.Browser;

/// <summary>What axe-core calls serious or critical is on no page and in no dialog, in light and in dark.</summary>
public sealed class AccessibilityTests(TestCluster cluster, Chromium chromium) : BrowserTests(cluster, chromium)
{
    private const string Judge = """
        async () => {
          const { violations } = await axe.run(document, { resultTypes: ['violations'] });
          return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').flatMap(({ id, nodes }) =>
            nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary.replace(/\s+/g, ' ')}`));
        }
        """;

    private readonly List<string> faults = [];

    [Theory(Timeout = Longest)]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Every_page_can_be_used_by_everybody(ColorScheme scheme)
    {
        await using var studio = await OpenAsync();
        var exhibits = await Exhibits.MakeAsync(studio);
        await using var walk = await WalkAsync(studio, scheme);
        foreach (var (name, place, ready) in exhibits.Views)
        {
            await walk.GoAsync(place, ready);
            await JudgeAsync(walk, name);
        }

        await walk.GoAsync($"#/runs/{exhibits.Run}", ".react-flow__node");
        foreach (var tab in new[] { "metrics", "log", "result" })
        {
            await walk.Page.GetByRole(AriaRole.Tab, new() { Name = tab }).ClickAsync();
            await Expect(walk.Page.GetByRole(AriaRole.Tabpanel).Locator("*").First).ToBeVisibleAsync();
            await JudgeAsync(walk, $"run, {tab}");
        }

        await walk.GoAsync($"#/runs/{exhibits.Classifiers}", ".react-flow__node");
        await walk.Page.GetByRole(AriaRole.Tab, new() { Name = "result" }).ClickAsync();
        foreach (var heading in new[] { "Speed", "Recognised, class by class", "Accuracy against confidence" })
            await Expect(walk.Page.GetByRole(AriaRole.Heading, new() { Name = heading })).ToBeVisibleAsync();
        await JudgeAsync(walk, "classifiers, result");
        await walk.Page.SetViewportSizeAsync(1280, 1800);
        await walk.PictureAsync($"classifiers-{scheme}");
        await walk.Page.SetViewportSizeAsync(1280, 720);

        await walk.GoAsync($"#/runs/{exhibits.Run}", ".react-flow__node");
        await walk.Page.GetByRole(AriaRole.Tab, new() { Name = "timeline" }).ClickAsync();
        await walk.ChooseAsync("train");
        await Expect(walk.Page.GetByRole(AriaRole.Complementary, new() { Name = "Stage" })).ToBeVisibleAsync();
        await JudgeAsync(walk, "run, a stage");
        Assert.Empty(faults);
    }

    [Theory(Timeout = Longest)]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Every_dialog_can_be_used_by_everybody(ColorScheme scheme)
    {
        await using var studio = await OpenAsync();
        var exhibits = await Exhibits.MakeAsync(studio);
        await using var walk = await WalkAsync(studio, scheme);
        await walk.GoAsync("#/workflows", "text=Begin with nothing");
        await DialogAsync(walk, "Delete shown");
        await walk.Page.GetByText("Begin with nothing").ClickAsync();
        await JudgeOpenAsync(walk, "new workflow");

        await walk.GoAsync("#/schedules", "text=New schedule…");
        await DialogAsync(walk, "New schedule…");
        await walk.GoAsync("#/schedules/nightly", "text=Next times");
        foreach (var asked in new[] { "Start now…", "Pause…", "Delete…" })
            await DialogAsync(walk, asked);
        await walk.GoAsync("#/workers", ".worker");
        await DialogAsync(walk, "Drain");
        await walk.GoAsync($"#/runs/{exhibits.Failed}", ".react-flow__node");
        await DialogAsync(walk, "Resume");

        await walk.GoAsync("#/designer/shown", ".react-flow__node");
        foreach (var opened in new[] { "Versions", "Publish", "Run" })
            await DialogAsync(walk, opened);
        await walk.ChooseAsync("train");
        await JudgeAsync(walk, "a stage of the designer");
        foreach (var keys in new[] { "?", "Control+k", "c" })
        {
            await walk.PressAsync(keys);
            await JudgeOpenAsync(walk, $"keys {keys}");
        }

        await walk.Node("train").ClickAsync(new() { Button = MouseButton.Right });
        await Expect(walk.Page.GetByRole(AriaRole.Menu)).ToBeVisibleAsync();
        await JudgeAsync(walk, "menu");
        Assert.Empty(faults);
    }

    [Theory(Timeout = Longest)]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task The_login_page_can_be_used_by_everybody(ColorScheme scheme)
    {
        await using var studio = await OpenAsync("--require-token");
        await using var walk = await WalkAsync(studio, scheme);
        await walk.GoAsync("#/runs", "text=Who are you?");
        await JudgeAsync(walk, "login");
        await walk.Page.GetByLabel("Token").FillAsync("wrong");
        await walk.PressAsync("Enter");
        await Expect(walk.Page.GetByText("this is no token of this server")).ToBeVisibleAsync();
        await JudgeAsync(walk, "login, refused");
        Assert.Empty(faults);
    }

    // Before the page: the policy of the server lets no script in afterwards.
    private static async Task<Walk> WalkAsync(Studio studio, ColorScheme scheme) => await studio.WalkAsync(
        scheme: scheme, script: await File.ReadAllTextAsync(Chromium.Axe, Cancellation));

    private async Task DialogAsync(Walk walk, string button)
    {
        await walk.Page.GetByRole(AriaRole.Button, new() { Name = button }).First.ClickAsync();
        await JudgeOpenAsync(walk, button);
    }

    private async Task JudgeOpenAsync(Walk walk, string name)
    {
        var dialog = walk.Page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToBeVisibleAsync();
        await JudgeAsync(walk, $"dialog {name}");
        await walk.PressAsync("Escape");
        await Expect(dialog).ToHaveCountAsync(0);
    }

    /// <summary>All of them are told at the end: who mends one mends its like.</summary>
    private async Task JudgeAsync(Walk walk, string name) =>
        faults.AddRange((await walk.Page.EvaluateAsync<string[]>(Judge)).Select(fault => $"{name}: {fault}"));
}
