using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Pipelines.Tests.Failures;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

[assembly: AssemblyFixture(typeof(Pipelines.Tests.Browser.Chromium))]

namespace Pipelines.Tests.Browser;

/// <summary>Debian's Chromium, once for all tests.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string Program = "/usr/bin/chromium";
    private readonly SemaphoreSlim starting = new(1);
    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>The program that judges pages; it comes with the packages of the designer.</summary>
    public static string Axe { get; } = Path.Combine(Repository.Root, "web", "designer", "node_modules", "axe-core", "axe.min.js");

    /// <summary>Why there can be no browser tests; null when there can.</summary>
    public static string? Missing => !File.Exists(Program)
        ? $"{Program} is not there (Debian's package chromium)"
        : !File.Exists(Path.Combine(AppContext.BaseDirectory, "designer", "index.html"))
            ? "the designer was not built: npm ci && npm run build in web/designer"
            : null;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async Task<IBrowser> BrowserAsync()
    {
        await starting.WaitAsync();
        try
        {
            playwright ??= await Playwright.CreateAsync();
            return browser ??= await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = ["--no-sandbox"] });
        }
        finally
        {
            starting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
        starting.Dispose();
    }
}

/// <summary>The real server with a real worker, on a database and a data folder of its own.</summary>
public sealed class Studio : IAsyncDisposable
{
    private readonly WorkerProcess server;
    private readonly HttpClient http;
    private readonly Chromium chromium;

    private Studio(WorkerProcess server, Uri address, Chromium chromium)
    {
        (this.server, Address, this.chromium) = (server, address, chromium);
        http = new HttpClient { BaseAddress = address };
    }

    /// <summary>A stage that needs no other and takes a moment.</summary>
    public static object SmallText { get; } = new
    {
        id = "text",
        kind = "data.synthetic",
        parameters = new { characters = 20000, evaluationCharacters = 4000 },
    };

    public Uri Address { get; }

    /// <param name="arguments">Of <c>serve</c>, beside where it listens.</param>
    public static async Task<Studio> OpenAsync(FreshDatabase fresh, Chromium chromium, params string[] arguments)
    {
        Assert.SkipWhen(Chromium.Missing is not null, Chromium.Missing ?? "");
        var server = new WorkerProcess(
            fresh.ConnectionString, fresh.DataFolder, lease: 10, fault: null,
            arguments: ["serve", "--listen", "127.0.0.1:0", .. arguments]);
        while (true)
        {
            if (Regex.Match(server.Output, "listening on (http://[^,]+),") is { Success: true } said)
                return new Studio(server, new Uri(said.Groups[1].Value), chromium);
            Assert.False(server.Ended, server.Errors);
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A browser window of its own, that knows nothing of others.</summary>
    /// <param name="script">Runs in it before anything else does.</param>
    public async Task<Walk> WalkAsync(
        string place = "", int width = 1280, int height = 720, ColorScheme scheme = ColorScheme.Light, string? script = null)
    {
        var browser = await chromium.BrowserAsync();
        var context = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = scheme,
            AcceptDownloads = true,
            ReducedMotion = ReducedMotion.Reduce,
        });
        if (script is not null)
            await context.AddInitScriptAsync(script);
        var walk = new Walk(this, await context.NewPageAsync());
        await walk.Page.GotoAsync(new Uri(Address, place).ToString());
        return walk;
    }

    /// <summary>The draft on the server, until it is as it should be.</summary>
    public Task<WorkflowDefinition> DraftAsync(string name, Func<WorkflowDefinition, bool> expected) => UntilAsync(
        async () => (await http.GetFromJsonAsync<JsonElement>($"api/definitions/{name}"))
            .GetProperty("definition").Deserialize<WorkflowDefinition>(Json.Options)!,
        expected);

    public async Task<JsonElement> GetAsync(string path) => await http.GetFromJsonAsync<JsonElement>(path);

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object body) =>
        await http.SendAsync(new HttpRequestMessage(method, path) { Content = JsonContent.Create(body, options: Json.Options) });

    /// <returns>The id of the run.</returns>
    public async Task<string> StartAsync(object definition, object? values = null)
    {
        var started = await SendAsync(HttpMethod.Post, "api/runs", new { definition, values = values ?? new { } });
        var answer = await started.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(started.IsSuccessStatusCode, answer);
        return JsonElement.Parse(answer).GetProperty("id").GetString()!;
    }

    /// <summary>The run, when it has ended.</summary>
    public Task<JsonElement> EndedAsync(string run) =>
        UntilAsync(() => GetAsync($"api/runs/{run}"), found => found.GetProperty("state").GetString() != "running");

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await server.LeaveAsync(CancellationToken.None);
        server.Dispose();
    }

    /// <param name="patience">A minute without it.</param>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> expected, TimeSpan? patience = null)
    {
        var atMost = patience ?? TimeSpan.FromMinutes(1);
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var found = await ask();
            if (expected(found))
                return found;
            Assert.True(TimeProvider.System.GetElapsedTime(began) < atMost, $"not as expected within {atMost}: {Json.Pretty(found)}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
