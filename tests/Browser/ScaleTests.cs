using System.Diagnostics;
using Microsoft.Playwright;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static Microsoft.Playwright.Assertions;

namespace Pipelines.Tests.Browser;

/// <summary>Large workflows and many messages, in a real browser; beside no other test, since they measure.</summary>
[Collection(nameof(Torch.Alone))]
public sealed class ScaleTests(TestCluster cluster, Chromium chromium) : BrowserTests(cluster, chromium)
{
    private const int Stages = 500;
    private const int Moves = 60;
    private const int PerSecond = 200;
    private const int Messages = 3 * PerSecond;

    // The frames between two marks, ms.
    private const string Watch = """
        () => { window.frames_ = []; let last = performance.now();
          const next = () => { const now = performance.now(); window.frames_.push(now - last); last = now; window.watch_ = requestAnimationFrame(next); };
          next(); }
        """;

    private const string Watched = "() => { cancelAnimationFrame(window.watch_); return window.frames_.slice(1); }";

    // From the key to the end of each frame that drew a stage elsewhere, ms. A frame has ended when the next one begins.
    // Who asks for them ends the watch: it reads every stage in every frame.
    private const string WatchPlaces = """
        () => {
          const places = () => [...document.querySelectorAll('.react-flow__node')].map((node) => node.dataset.id + node.style.transform).join();
          let turn = 0;
          window.movedPlaces_ = () => { turn++; return window.moved_; };
          window.addEventListener('keydown', (event) => {
            if (event.key !== 'T') return;
            const mine = ++turn;
            let [before, moved] = [places(), false];
            window.moved_ = [];
            const look = () => {
              if (mine !== turn) return;
              if (moved) window.moved_.push(performance.now() - event.timeStamp);
              const now = places();
              [moved, before] = [now !== before, now];
              requestAnimationFrame(look);
            };
            requestAnimationFrame(look);
          }, true);
        }
        """;

    // Before the page's own scripts: what they hear is counted where they hear it.
    private const string CountMessages = """
        window.heard_ = new Set();
        window.EventSource = class extends EventSource {
          constructor(...all) {
            super(...all);
            this.addEventListener('message', ({ data }) => { const { type, id } = JSON.parse(data); if (type === 'run') window.heard_.add(id); });
          }
        };
        """;

    [Fact(Timeout = Longest)]
    public async Task Five_hundred_stages_are_dragged_at_thirty_frames_a_second_and_laid_out_in_a_second()
    {
        await using var studio = await OpenAsync();
        var stages = Enumerable.Range(0, Stages).Select(i => i == 0
            ? (object)new { id = "s0", kind = "model.load", parameters = new { path = "/model" } }
            : new { id = $"s{i}", kind = "prune.magnitude", inputs = new { model = $"s{Feeder(i)}.model" } });
        // In rows, as nobody wants them: laying out has something to move.
        var layout = Enumerable.Range(0, Stages).ToDictionary(i => $"s{i}", i => new { x = Column(i), y = i / 25 * 200 });
        (await studio.SendAsync(HttpMethod.Put, "api/definitions/large", new { definition = new { name = "large", stages, layout }, revision = 0 }))
            .EnsureSuccessStatusCode();
        await using var walk = await studio.WalkAsync("#/designer/large");
        await Expect(walk.Page.Locator(".react-flow__node")).ToHaveCountAsync(Stages);

        await walk.Page.Locator(".react-flow__pane").ClickAsync(new() { Position = new() { X = 5, Y = 5 } });
        await walk.Page.EvaluateAsync(WatchPlaces);
        double[] took = [await LaidOutAsync(walk), await LaidOutAsync(walk, again: true), await LaidOutAsync(walk, again: true)];

        var node = walk.Page.Locator(".react-flow__node header").First;
        var box = Assert.IsType<LocatorBoundingBoxResult>(await node.BoundingBoxAsync());
        await walk.Page.Mouse.MoveAsync(box.X + 3, box.Y + 3);
        await walk.Page.Mouse.DownAsync();
        await walk.Page.EvaluateAsync(Watch);
        for (var i = 1; i <= Moves; i++)
            await walk.Page.Mouse.MoveAsync(box.X + 3 + i * 2, box.Y + 3 + i);
        var frames = await walk.Page.EvaluateAsync<double[]>(Watched);
        await walk.PictureAsync("afar");
        await walk.Page.Mouse.UpAsync();

        var perMove = frames.Sum() / Moves;
        Array.Sort(frames);
        var median = frames[frames.Length / 2];
        Walk.Note($"{Stages} stages: laid out and drawn {string.Join(", ", took.Select(one => $"{one:f0}"))} ms after the key; a frame of a drag {median:f0} ms (median), {frames[frames.Length * 95 / 100]:f0} ms (95 %), {frames[^1]:f0} ms (longest), {perMove:f0} ms a move");
        // Two of three: what else the machine does for a moment is not the designer's.
        Assert.True(took.Order().ElementAt(1) < 1000, $"the last stage came to its place {string.Join(", ", took)} ms after the key");
        Assert.True(median < 1000.0 / 30, $"a frame takes {median:f0} ms");
        // Between the frames that draw a move lie others that draw nothing, and lower the median.
        Assert.True(perMove < 2 * 1000.0 / 30, $"a move takes {perMove:f0} ms");
    }

    [Theory(Timeout = Longest)]
    [InlineData("one run")]
    [InlineData("runs")]
    [InlineData("dashboard")]
    public async Task Two_hundred_messages_a_second_do_not_freeze_the_page(string page)
    {
        await using var studio = await OpenAsync();
        var run = await studio.StartAsync(new { name = "loud", stages = new[] { Studio.SmallText } });
        await using var walk = await studio.WalkAsync(
            page switch { "one run" => $"#/runs/{run}", "runs" => "#/runs", _ => "" }, script: CountMessages);
        var refused = 0;
        walk.Page.Response += (_, answer) => refused += answer.Ok ? 0 : 1;
        await Expect(walk.Page.Locator(".state.succeeded").First).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await using var source = Npgsql.NpgsqlDataSource.Create(Fresh.ConnectionString);

        await walk.Page.EvaluateAsync(Watch);
        var before = await walk.Page.EvaluateAsync<int>("() => window.heard_.size");
        var clock = Stopwatch.StartNew();
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        for (var said = 0; said < Messages; said += PerSecond / 20)
        {
            // Each of a run of its own: of one run a page hears five times a second.
            await using var told = source.CreateCommand($"SELECT count(pg_notify('pipelines_run', gen_random_uuid()::text)) FROM generate_series(1, {PerSecond / 20})");
            await told.ExecuteNonQueryAsync(Cancellation);
            await pace.WaitForNextTickAsync(Cancellation);
        }

        var heard = await Studio.UntilAsync(
            async () => await walk.Page.EvaluateAsync<int>("() => window.heard_.size") - before, heard => heard >= Messages);
        var spent = clock.Elapsed;
        var frames = await walk.Page.EvaluateAsync<double[]>(Watched);

        Walk.Note($"{page}: {heard} messages reached the page, {heard / spent.TotalSeconds:f0} a second: the longest frame {frames.Max():f0} ms");
        Assert.True(heard / spent.TotalSeconds >= 150, $"only {heard / spent.TotalSeconds:f0} messages a second reached the page");
        Assert.True(frames.Max() < 500, $"the page stood still for {frames.Max():f0} ms");
        Assert.Equal(0, refused); // by asking once for each message it would have been
    }

    /// <returns>Ms from the key until the last stage stood where it belongs.</returns>
    private static async Task<double> LaidOutAsync(Walk walk, bool again = false)
    {
        if (again)
        {
            await walk.PressAsync("Control+z");
            await walk.Studio.DraftAsync("large", draft => X(draft, Stages - 1) == Column(Stages - 1));
        }

        await walk.PressAsync("Shift+T");
        await walk.Studio.DraftAsync("large", draft => Enumerable.Range(1, Stages - 1).All(i => X(draft, i) > X(draft, Feeder(i))));
        return (await walk.Page.EvaluateAsync<double[]>("() => window.movedPlaces_()"))[^1];
    }

    private static int Column(int stage) => stage % 25 * 300;

    private static int Feeder(int stage) => (stage - 1) / 2;

    private static double X(WorkflowDefinition draft, int stage) =>
        draft.Layout?.GetProperty($"s{stage}").GetProperty("x").GetDouble() ?? 0;
}
