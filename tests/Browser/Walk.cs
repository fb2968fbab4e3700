using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Pipelines.Tests.Browser;

/// <summary>One window, and what its user does in it.</summary>
public sealed class Walk : IAsyncDisposable
{
    private readonly List<string> errors = [];

    public Walk(Studio studio, IPage page)
    {
        (Studio, Page) = (studio, page);
        page.PageError += (_, error) => errors.Add(error);
    }

    public Studio Studio { get; }

    public IPage Page { get; }

    /// <summary>Kept as the tests' output, to be looked at.</summary>
    public Task PictureAsync(string name) => Page.ScreenshotAsync(new() { Path = Kept($"{name}.png"), Animations = ScreenshotAnimations.Disabled });

    /// <summary>A line of figures beside the pictures.</summary>
    public static void Note(string line) => File.AppendAllLines(Kept("figures.txt"), [line]);

    private static string Kept(string name)
    {
        var folder = Environment.GetEnvironmentVariable("PIPELINES_PICTURES") is { Length: > 0 } chosen
            ? chosen
            : Path.Combine(AppContext.BaseDirectory, "pictures");
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, name);
    }

    public Task PressAsync(string keys) => Page.Keyboard.PressAsync(keys);

    /// <summary>To another place, until that is drawn.</summary>
    /// <param name="ready">A selector of what stands there.</param>
    public async Task GoAsync(string place, string ready)
    {
        await Page.GotoAsync(new Uri(Studio.Address, place).ToString());
        await Expect(Page.Locator(ready).First).ToBeVisibleAsync();
    }

    public ILocator Node(string stage) => Page.Locator($".react-flow__node[data-id='{stage}']");

    /// <summary>From the gallery's way to begin with nothing to an empty canvas.</summary>
    public async Task NewAsync(string name)
    {
        await Page.GotoAsync(new Uri(Studio.Address, "#/workflows").ToString());
        await Page.GetByText("Begin with nothing").ClickAsync();
        var dialog = Page.Locator("dialog");
        await dialog.GetByRole(AriaRole.Textbox).FillAsync(name);
        await PressAsync("Enter");
        await Expect(Page.Locator(".welcome")).ToBeVisibleAsync();
        await PressAsync("Escape");
    }

    /// <summary>Adds an activity by its name in the list, and calls it.</summary>
    public async Task AddAsync(string kind, string id)
    {
        var search = Page.Locator("#palette-search");
        if (!await search.IsVisibleAsync())
            await Page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = false }).First.ClickAsync();
        var before = await Page.Locator(".react-flow__node").CountAsync();
        await search.FillAsync(kind);
        await search.PressAsync("Enter");
        await Expect(Page.Locator(".react-flow__node")).ToHaveCountAsync(before + 1);
        await RenameAsync(id);
    }

    /// <summary>Calls the chosen stage something else.</summary>
    public async Task RenameAsync(string id)
    {
        var field = Page.GetByLabel("id", new() { Exact = true });
        await field.FillAsync(id);
        await field.PressAsync("Enter");
        await Expect(Node(id)).ToBeVisibleAsync();
    }

    public Task ChooseAsync(string stage) => Node(stage).Locator("header").ClickAsync();

    /// <summary>Sets a parameter of the chosen stage.</summary>
    public async Task SetAsync(string parameter, string value)
    {
        var field = Page.GetByLabel(parameter, new() { Exact = true });
        await field.FillAsync(value);
        await field.BlurAsync();
    }

    /// <summary>Drags from one port to another.</summary>
    public async Task ConnectAsync(string from, string output, string to, string input)
    {
        var (start, end) = (await PortAsync(from, $"out:{output}"), await PortAsync(to, $"in:{input}"));
        await Page.Mouse.MoveAsync(start.X, start.Y);
        await Page.Mouse.DownAsync();
        await Page.Mouse.MoveAsync(end.X - 15, end.Y - 15, new() { Steps = 6 });
        await Page.Mouse.MoveAsync(end.X, end.Y, new() { Steps = 4 });
        await Page.Mouse.UpAsync();
    }

    /// <summary>Lays the stages out, and shows all.</summary>
    public async Task TidyAsync()
    {
        await Page.GetByRole(AriaRole.Button, new() { Name = "Tidy up" }).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Fit", Exact = false }).First.ClickAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Page.Context.DisposeAsync();
        Assert.Empty(errors);
    }

    private async Task<(float X, float Y)> PortAsync(string stage, string port)
    {
        var box = await Node(stage).Locator($"[data-handleid='{port}']").BoundingBoxAsync();
        Assert.NotNull(box);
        return (box.X + box.Width / 2, box.Y + box.Height / 2);
    }
}
