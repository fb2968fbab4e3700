using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;
using Pipelines.Web.Api;

namespace Pipelines.Tests.Web;

public sealed class EventsApiTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_hears_of_a_run_from_its_start_to_its_end_at_whatever_server_it_listens()
    {
        await using var server = await TestServer.StartAsync(fresh, toys: true);
        await using var beside = await TestServer.StartAsync(fresh);
        using var here = await Stream.OpenAsync(server.Client());
        using var there = await Stream.OpenAsync(beside.Client());

        var id = await server.Client().StartAsync("""[{ "id": "wait", "kind": "toy.door", "parameters": { "name": "api-events" } }]""");
        await Door.Named("api-events").BegunAsync();
        foreach (var stream in new[] { here, there })
            await stream.UntilAsync(one => one == $"run {id}");
        Door.Named("api-events").Open();
        await server.Engine.WaitAsync(id, Cancellation);

        // The last event comes after the end was committed.
        foreach (var stream in new[] { here, there })
            await stream.UntilAsync(one => one == $"run {id}");
    }

    [Fact]
    public async Task Many_changes_of_one_run_are_few_events_and_those_of_others_are_not_lost_among_them()
    {
        await using var server = await TestServer.StartAsync(fresh);
        using var stream = await Stream.OpenAsync(server.Client());
        var (busy, other) = (Guid.CreateVersion7(), Guid.CreateVersion7());

        var clock = Stopwatch.StartNew();
        await using (var db = server.Engine.Database.Create())
        {
            for (var i = 0; i < 300; i++)
                await Channels.NotifyAsync(db, Channels.RunChanged, busy, Cancellation);
            await Channels.NotifyAsync(db, Channels.RunChanged, other, Cancellation);
        }

        var heard = await stream.UntilAsync(one => one == $"run {other}");
        var most = 2 + (clock.Elapsed / EventsApi.Period);

        Assert.InRange(heard.Count(one => one == $"run {busy}"), 1, most);
        Assert.True(most < 100, $"{clock.Elapsed} for 301 notifications");
    }

    [Fact]
    public async Task What_happens_to_schedules_workers_and_definitions_is_heard()
    {
        await using var server = await TestServer.StartAsync(fresh);
        using var stream = await Stream.OpenAsync(server.Client());
        await using (var db = server.Engine.Database.Create())
        {
            await Channels.NotifyAsync(db, Channels.Schedules, Cancellation);
            await Channels.NotifyAsync(db, Channels.Definitions, "nightly", Cancellation);
        }

        await using (await fresh.WorkAsync(Toys.Catalog()))
            await stream.UntilAllAsync("schedules", "definitions nightly", "workers");
        await stream.UntilAllAsync("workers");
    }

    [Fact]
    public async Task A_browser_that_comes_again_hears_of_everything_that_may_have_changed()
    {
        await using var server = await TestServer.StartAsync(fresh, toys: true);
        var id = await server.Client().StartAsync("""[{ "id": "one", "kind": "toy.number" }]""");
        await server.Engine.WaitAsync(id, Cancellation);
        var client = server.Client();
        client.DefaultRequestHeaders.Add("Last-Event-ID", "17");

        using var stream = await Stream.OpenAsync(client);

        await stream.UntilAllAsync("schedules", "workers", "definitions", $"run {id}");
    }

    [Fact]
    public async Task A_stream_ends_cleanly_when_the_server_stops_and_wants_the_token()
    {
        var server = await TestServer.StartAsync(fresh);
        using var refused = await server.Client(token: null).GetAsync("api/events", Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var client = new HttpClient { BaseAddress = server.Address };
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {TestServer.Token}");
        using var stream = await Stream.OpenAsync(client);

        var stopping = server.DisposeAsync();

        Assert.Null(await stream.NextAsync());
        await stopping;
    }

    /// <summary>Reads what a browser's EventSource would give its page.</summary>
    private sealed class Stream(HttpResponseMessage response, StreamReader reader) : IDisposable
    {
        public static async Task<Stream> OpenAsync(HttpClient client)
        {
            var response = await client.GetAsync("api/events", HttpCompletionOption.ResponseHeadersRead, Cancellation);
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
            Assert.True(response.Headers.CacheControl?.NoCache);
            var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
            Assert.Equal(": listening", await reader.ReadLineAsync(Cancellation));
            return new Stream(response, reader);
        }

        /// <summary>As in <c>run ID</c>; null when the stream has ended.</summary>
        public async Task<string?> NextAsync()
        {
            while (await reader.ReadLineAsync(Cancellation) is { } line)
            {
                if (!line.StartsWith("data: ", StringComparison.Ordinal))
                    continue;
                var data = JsonElement.Parse(line["data: ".Length..]);
                return string.Join(' ', data.EnumerateObject().Select(member => member.Value.GetString()));
            }

            return null;
        }

        /// <returns>Everything up to the one that was waited for.</returns>
        public async Task<IReadOnlyList<string>> UntilAsync(Func<string, bool> found)
        {
            var heard = new List<string>();
            do
                heard.Add(await NextAsync() ?? throw new InvalidOperationException($"the stream ended after {string.Join(", ", heard)}"));
            while (!found(heard[^1]));
            return heard;
        }

        public async Task UntilAllAsync(params string[] wanted)
        {
            var left = wanted.ToHashSet();
            await UntilAsync(one => left.Remove(one) && left.Count == 0);
        }

        public void Dispose()
        {
            reader.Dispose();
            response.Dispose();
        }
    }
}
