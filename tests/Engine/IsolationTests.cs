using System.Diagnostics;
using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Failures;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Engine;

/// <summary>Stages in processes of their own: the real program, started for real activities.</summary>
public sealed class IsolationTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "pipelines");
    private static readonly StageCommand Child = new(Program, ["stage-process", "--threads", "1"]);

    private static readonly StageDefinition Text = Stage(
        "text", "data.synthetic", new { characters = 20_000, evaluationCharacters = 4_000 });

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Gives_the_same_artifacts_as_on_a_thread_and_reports_as_it_does()
    {
        var train = Stage(
            "train", "model.train",
            new { hidden = 32, layers = 1, heads = 2, intermediate = 32, vocabulary = 300, steps = 4, batch = 2 },
            new() { ["data"] = "text.data" });
        await using var engine = await WorkAsync(Child);

        var here = await RunAsync(engine, Text with { Isolation = Isolation.None }, train with { Isolation = Isolation.None });
        var apart = await RunAsync(engine, Text, train);

        Assert.Equal(RunState.Succeeded, apart.State);
        Assert.Equal(
            here.Stages.Select(stage => stage.Outputs!.Value.GetRawText()), apart.Stages.Select(stage => stage.Outputs!.Value.GetRawText()));
        Assert.Equal((4, 4, "step"), apart.Stages[1].Progress is { } progress ? (progress.Done, progress.Total, progress.Unit) : default);
        Assert.Equal(here.Stages[1].Progress!.Figures["loss"], apart.Stages[1].Progress!.Figures["loss"]);
        Assert.Equal([null, null], await ExitCodesAsync(here));
        Assert.Equal([0, 0], await ExitCodesAsync(apart));
    }

    [Fact]
    public async Task A_stage_that_fails_says_why_as_it_does_on_a_thread()
    {
        var lost = Stage("lost", "model.load", new { path = database.DataFolder });
        await using var engine = await WorkAsync(Child);

        var here = await RunAsync(engine, lost with { Isolation = Isolation.None });
        var apart = await RunAsync(engine, lost);

        Assert.Equal(RunState.Failed, apart.State);
        Assert.Contains(database.DataFolder, here.Stages[0].Error);
        Assert.Equal(here.Stages[0].Error, apart.Stages[0].Error);
        Assert.Equal([1], await ExitCodesAsync(apart));
    }

    [Fact]
    public async Task What_the_stage_prints_goes_to_its_log_and_is_no_word_to_its_worker()
    {
        await using var engine = await WorkAsync(Faulty("babble text"));

        var run = await RunAsync(engine, Text);

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal(["{ \"say\": \"done\" }", "{ not JSON"], await LogAsync(engine, run));
    }

    [Fact]
    public async Task A_crash_is_tried_again_and_leaves_its_exit_code_and_no_draft()
    {
        var marks = Directory.CreateTempSubdirectory("pipelines-marks-").FullName;
        await using var engine = await WorkAsync(Faulty($"crash text {marks}"));

        var run = await RunAsync(engine, Text);

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal([139, 0], await ExitCodesAsync(run));
        Assert.Single(Processes());
        Directory.Delete(marks, recursive: true);
    }

    [Fact]
    public async Task A_stage_that_crashes_too_often_fails_and_what_runs_beside_it_goes_on()
    {
        await using var engine = await WorkAsync(Faulty("crash text"), slots: 2);

        var run = await RunAsync(
            engine, Text with { Retry = new RetryDefinition(Crashes: 2) }, Text with { Id = "beside" }, Text with { Id = "here", Isolation = Isolation.None });

        Assert.Equal([StageState.Failed, StageState.Succeeded, StageState.Succeeded], run.Stages.Select(stage => stage.State));
        Assert.Equal("the stage's process ended with exit code 139 (SIGSEGV: native code crashed); 2 crashes in a row", run.Stages[0].Error);
    }

    [Fact]
    public async Task A_process_that_ends_without_a_word_leaves_the_last_lines_that_it_printed()
    {
        await using var engine = await WorkAsync(new StageCommand("sh", ["-c", "for i in $(seq 100); do echo line $i >&2; done; exit 3"]));

        var run = await RunAsync(engine, Text with { Retry = new RetryDefinition(Crashes: 1) });

        Assert.Equal("the stage's process ended with exit code 3 and no result", run.Stages[0].Error);
        Assert.Equal(Enumerable.Range(61, 40).Select(i => $"line {i}"), await LogAsync(engine, run));
        Assert.Equal([3], await ExitCodesAsync(run));
    }

    [Fact]
    public async Task A_program_that_is_not_there_fails_the_stage()
    {
        await using var engine = await WorkAsync(new StageCommand("/nowhere/pipelines", []));

        Assert.Contains("/nowhere/pipelines", (await RunAsync(engine, Text)).Stages[0].Error);
    }

    [Fact]
    public async Task A_process_that_does_not_stop_is_killed_after_the_grace()
    {
        await using var engine = await WorkAsync(Faulty("deaf text"));
        var id = await StartAsync(engine, Text);
        while (Processes().Count() < 2)
            await engine.WaitForChangeAsync(id, TimeSpan.FromMilliseconds(50), Cancellation);

        await engine.CancelRunAsync(id, Cancellation);
        var run = await engine.WaitAsync(id, Cancellation);

        Assert.Equal((RunState.Cancelled, StageState.Cancelled), (run.State, run.Stages[0].State));
        Assert.Equal([137], await ExitCodesAsync(run));
        Assert.Single(Processes());
        Assert.Equal(["the stage did not stop within 0.5 s of being told to: its process was killed"], await LogAsync(engine, run));
    }

    [Fact]
    public async Task A_thread_that_does_not_stop_is_left_behind_and_keeps_its_slot_until_it_ends()
    {
        await using var engine = await WorkAsync(Child, catalog: Toys.Catalog());
        var id = await engine.StartRunAsync(Toys.Plan(Toys.Stage("deaf", "toy.deaf", new { name = "cancelled" })), false, Cancellation);
        await Deaf.Named("cancelled").BegunAsync();

        await engine.CancelRunAsync(id, Cancellation);
        var run = await engine.WaitAsync(id, Cancellation);
        var next = await engine.StartRunAsync(Toys.Plan(Toys.Number("next", 1)), false, Cancellation);
        await engine.WaitForChangeAsync(next, TimeSpan.FromSeconds(1), Cancellation);
        var waiting = (await engine.Runs.FindAsync(next, Cancellation))!.Stages[0].State;
        Deaf.Named("cancelled").LetGo();

        Assert.Equal((RunState.Cancelled, StageState.Cancelled), (run.State, run.Stages[0].State));
        Assert.Contains("its thread goes on", Assert.Single(await LogAsync(engine, run)));
        Assert.Equal(StageState.Ready, waiting);
        Assert.Equal(RunState.Succeeded, (await engine.WaitAsync(next, Cancellation)).State);
        Assert.Equal(StageState.Cancelled, (await engine.Runs.FindAsync(id, Cancellation))!.Stages[0].State);
    }

    [Fact]
    public async Task A_timeout_that_is_not_heard_fails_the_stage_all_the_same_and_keeps_nobody_from_leaving()
    {
        var engine = await WorkAsync(Child, catalog: Toys.Catalog());
        try
        {
            var plan = Toys.Plan(Toys.Stage("deaf", "toy.deaf", new { name = "late" }) with { Timeout = 0.2 });

            var run = await engine.WaitAsync(await engine.StartRunAsync(plan, false, Cancellation), Cancellation);

            Assert.Equal("it took longer than its timeout of 0.2 s", run.Stages[0].Error);
        }
        finally
        {
            await engine.DisposeAsync();
            Deaf.Named("late").LetGo();
        }
    }

    [Fact]
    public async Task The_command_is_for_workers_only()
    {
        using var child = Process.Start(new ProcessStartInfo(Child.FileName, Child.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        })!;
        child.StandardInput.Close();
        var said = await child.StandardError.ReadToEndAsync(Cancellation);
        await child.WaitForExitAsync(Cancellation);

        Assert.Equal(2, child.ExitCode);
        Assert.Contains("a worker starts this command", said);
        using var help = Process.Start(new ProcessStartInfo(Program, ["--help"]) { RedirectStandardOutput = true })!;
        Assert.DoesNotContain("stage-process", await help.StandardOutput.ReadToEndAsync(Cancellation));
        await help.WaitForExitAsync(Cancellation);
    }

    /// <summary>Who has a folder for unfinished things here, or had one that was not swept.</summary>
    private IEnumerable<string> Processes() => Directory.EnumerateFiles(Path.Combine(database.DataFolder, "work"), "*.lock");

    private static StageDefinition Stage(string id, string kind, object parameters, Dictionary<string, string>? inputs = null) =>
        Toys.Stage(id, kind, parameters, inputs) with { Isolation = Isolation.Process };

    private static StageCommand Faulty(string fault) =>
        new("env", [$"PIPELINES_FAULT={fault}", Child.FileName, .. Child.Arguments]);

    private async Task<PipelinesEngine> WorkAsync(StageCommand child, int slots = 1, Catalog? catalog = null)
    {
        var options = database.Options with { StageProcess = child, CpuSlots = slots, Grace = TimeSpan.FromSeconds(0.5) };
        var engine = await PipelinesEngine.OpenAsync(options, catalog ?? ActivityCatalog.Create(), Cancellation);
        await engine.WorkAsync(Cancellation);
        return engine;
    }

    private static Task<Guid> StartAsync(PipelinesEngine engine, params StageDefinition[] stages)
    {
        var fine = Plan.TryCreate(
            new WorkflowDefinition("isolated", stages), ActivityCatalog.Create(), new Dictionary<string, JsonElement>(), out var plan, out var faults);
        Assert.True(fine, string.Join('\n', faults));
        return engine.StartRunAsync(plan, useCache: false, Cancellation);
    }

    private static async Task<RunView> RunAsync(PipelinesEngine engine, params StageDefinition[] stages) =>
        await engine.WaitAsync(await StartAsync(engine, stages), Cancellation);

    private static async Task<IEnumerable<string>> LogAsync(PipelinesEngine engine, RunView run) =>
        (await engine.Runs.LogsAsync(run.Id, null, 0, Cancellation)).Select(line => line.Text);

    private async Task<IEnumerable<int?>> ExitCodesAsync(RunView run) =>
        (await History.ReadAsync(database.ConnectionString, run.Id, Cancellation)).Attempts.OrderBy(attempt => attempt.Stage)
            .Select(attempt => attempt.ExitCode);
}
