using Microsoft.Playwright;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Browser;

/// <summary>Every page, empty and filled, in both themes and on a phone: pictures to look at, and nothing that runs out of the window.</summary>
public sealed class PageTests(TestCluster cluster, Chromium chromium) : BrowserTests(cluster, chromium)
{
    private static readonly (string Name, int Width, int Height, ColorScheme Scheme)[] Windows =
    [
        ("light", 1280, 720, ColorScheme.Light), ("dark", 1280, 720, ColorScheme.Dark), ("phone", 390, 844, ColorScheme.Light),
    ];

    [Fact(Timeout = Longest)]
    public async Task Every_empty_page_fits_its_window()
    {
        await using var studio = await OpenAsync();
        await FitAsync(studio, View.Everywhere, "");
    }

    [Fact(Timeout = Longest)]
    public async Task Every_filled_page_fits_its_window()
    {
        await using var studio = await OpenAsync();
        var exhibits = await Exhibits.MakeAsync(studio);
        await FitAsync(studio, exhibits.Views, "filled-");
    }

    private static async Task FitAsync(Studio studio, IReadOnlyList<View> views, string prefix)
    {
        List<string> wide = [];
        foreach (var window in Windows)
        {
            await using var walk = await studio.WalkAsync("", window.Width, window.Height, window.Scheme);
            foreach (var (name, place, ready) in views)
            {
                await walk.GoAsync(place, ready);
                await walk.PictureAsync($"{prefix}{name}-{window.Name}");
                var width = await walk.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth");
                if (width > window.Width)
                    wide.Add($"{name} is {width} wide in a window of {window.Width}");
            }
        }

        Assert.Empty(wide);
    }
}
