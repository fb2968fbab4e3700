using Microsoft.Playwright;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Browser;

/// <summary>Every page, empty and filled, in both themes and on a phone: pictures to look at, and nothing that runs out of the window.</summary>
public sealed class PageTests(FreshDatabase fresh, Chromium chromium) : IClassFixture<FreshDatabase>
{
    [Fact(Timeout = 180_000)]
    public async Task Every_page_fits_its_window()
    {
        await using var studio = await Studio.OpenAsync(fresh, chromium);
        (string Name, string Place)[] pages =
        [
            ("dashboard", ""), ("workflows", "#/workflows"), ("runs", "#/runs"), ("schedules", "#/schedules"), ("workers", "#/workers"),
            ("nothing", "#/nowhere"),
        ];
        (string Name, int Width, int Height, ColorScheme Scheme)[] windows =
        [
            ("light", 1280, 720, ColorScheme.Light), ("dark", 1280, 720, ColorScheme.Dark), ("phone", 390, 844, ColorScheme.Light),
        ];
        foreach (var window in windows)
        {
            await using var walk = await studio.WalkAsync("", window.Width, window.Height, window.Scheme);
            foreach (var (name, place) in pages)
            {
                await walk.Page.GotoAsync(new Uri(studio.Address, place).ToString());
                await walk.Page.WaitForLoadStateAsync(LoadState.NetworkIdle, new() { Timeout = 5_000 }).ContinueWith(_ => { }, TaskScheduler.Default);
                await walk.PictureAsync($"{name}-{window.Name}");
                var width = await walk.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth");
                Assert.True(width <= window.Width, $"{name} is {width} wide in a window of {window.Width}");
            }
        }
    }
}
