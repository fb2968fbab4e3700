using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Engine.Schedules;

/// <summary>What missed times, overlaps, restarts and several workers make of a schedule.</summary>
public sealed class ScheduleTests(FreshDatabase fresh) : SchedulesSetBack(fresh)
{
    [Theory]
    [InlineData(MissedPolicy.Skip, FireOutcome.Skipped, FireOutcome.Skipped, FireOutcome.Skipped)]
    [InlineData(MissedPolicy.Once, FireOutcome.Skipped, FireOutcome.Skipped, FireOutcome.Started)]
    [InlineData(MissedPolicy.All, FireOutcome.Started, FireOutcome.Started, FireOutcome.Started)]
    public async Task Makes_up_for_three_missed_times_as_the_policy_says(MissedPolicy missed, params FireOutcome[] expected)
    {
        await using (var engine = await Fresh.OpenAsync(Toys.Catalog()))
            await AddAsync(engine, "nightly", missed, OverlapPolicy.Allow, Toys.Number("a", 1));
        await SetBackAsync("nightly", days: 3);

        await using var worker = await Fresh.WorkAsync(Toys.Catalog());
        var fires = await UntilAsync(worker, "nightly", fires => fires.Count == 3 && fires.All(IsOver));

        Assert.Equal(expected, fires.Reverse().Select(fire => fire.Outcome));
        Assert.All(fires, fire => Assert.Equal(
            fire.Outcome == FireOutcome.Started ? (RunState?)RunState.Succeeded : null, fire.State));
        Assert.All(
            fires.Where(fire => fire.Outcome == FireOutcome.Skipped),
            fire => Assert.Equal("missed: no worker was up", fire.Reason));
    }

    [Fact]
    public async Task Of_many_missed_times_the_last_hundred_start()
    {
        await using (var engine = await Fresh.OpenAsync(Toys.Catalog()))
        {
            await AddAsync(
                engine, "minutely", MissedPolicy.All, OverlapPolicy.Allow, [Toys.Number("a", 1)], $"*{Daily[1..]}");
        }

        await SetBackAsync("minutely", days: 3);

        await using var worker = await Fresh.WorkAsync(Toys.Catalog(), slots: 4);
        var fires = await UntilAsync(worker, "minutely", fires => fires.Count == 100 && fires.All(IsOver));

        Assert.All(fires, fire => Assert.Equal(RunState.Succeeded, fire.State));
        Assert.Equal(100, fires.Select(fire => fire.Run).Distinct().Count());
        // Sixty a day: of three days, the last and the most of the one before.
        Assert.Equal((59, 20), (fires[0].Time.Minute, fires[^1].Time.Minute));
    }

    [Fact]
    public async Task A_time_that_has_just_come_fires_while_the_only_slot_is_busy()
    {
        await using var worker = await Fresh.WorkAsync(Toys.Catalog());
        var busy = await worker.StartRunAsync(Toys.Plan(Toys.Stage("door", "toy.door", new { name = "busy" })), false, Cancellation);
        await Door.Named("busy").BegunAsync();
        await AddAsync(worker, "minutely", MissedPolicy.Skip, OverlapPolicy.Skip, [Toys.Number("a", 1)], "* * * * *");
        await SetBackAsync("minutely", days: 0, seconds: 61);

        var fires = await UntilAsync(worker, "minutely", fires => fires.Any(fire => fire.Outcome == FireOutcome.Started));

        Assert.Equal(RunState.Running, fires.First(fire => fire.Outcome == FireOutcome.Started).State);
        Door.Named("busy").Open();
        await worker.WaitAsync(busy, Cancellation);
    }

    [Fact]
    public async Task The_alarm_wakes_a_worker_long_before_its_next_look()
    {
        await using var worker = await Fresh.WorkAsync(Toys.Catalog());
        await AddAsync(worker, "alarm", MissedPolicy.Once, OverlapPolicy.Skip, Toys.Number("a", 1));
        await using (var db = Database.Create())
        {
            await db.Database.ExecuteSqlAsync($"""
                UPDATE pipelines.schedules SET last_fire = now() - interval '1 day', next_fire = now() + interval '2 seconds';
                SELECT pg_notify('pipelines_schedules', '')
                """, Cancellation);
        }

        var fires = await UntilAsync(worker, "alarm", fires => fires.Any(IsOver));

        Assert.Equal(FireOutcome.Started, Assert.Single(fires).Outcome);
    }

    [Fact]
    public async Task Skips_a_time_while_its_previous_run_still_runs()
    {
        await using var worker = await WithBlockedRunAsync("skipped", OverlapPolicy.Skip);
        var first = (await worker.Schedules.HistoryAsync("skipped", 1, Cancellation))[0].Run;

        var second = await worker.Schedules.TriggerAsync("skipped", Cancellation);

        Assert.Equal((FireOutcome.Skipped, $"run {first} was still running"), (second.Outcome, second.Reason));
        Door.Named("skipped").Open();
        await worker.WaitAsync(first!.Value, Cancellation);
        Assert.Equal(FireOutcome.Started, (await worker.Schedules.TriggerAsync("skipped", Cancellation)).Outcome);
    }

    [Fact]
    public async Task Queues_one_time_and_starts_it_when_the_previous_run_has_ended()
    {
        await using var worker = await WithBlockedRunAsync("queued", OverlapPolicy.Queue);

        var second = await worker.Schedules.TriggerAsync("queued", Cancellation);
        var third = await worker.Schedules.TriggerAsync("queued", Cancellation);
        var waiting = await worker.Schedules.HistoryAsync("queued", 10, Cancellation);
        Door.Named("queued").Open();
        var fires = await UntilAsync(worker, "queued", fires => fires.All(IsOver));

        Assert.Equal((FireOutcome.Queued, null), (second.Outcome, second.Run));
        Assert.Equal((FireOutcome.Skipped, "another one was waiting already"), (third.Outcome, third.Reason));
        Assert.Equal([FireOutcome.Skipped, FireOutcome.Started, FireOutcome.Started], fires.Select(fire => fire.Outcome));
        Assert.Equal([FireOutcome.Skipped, FireOutcome.Queued, FireOutcome.Started], waiting.Select(fire => fire.Outcome));
    }

    [Fact]
    public async Task Cancels_the_previous_run_and_starts()
    {
        await using var worker = await WithBlockedRunAsync("cancelled", OverlapPolicy.Cancel);

        await worker.Schedules.TriggerAsync("cancelled", Cancellation);
        await Door.Named("cancelled").BegunAsync();
        Door.Named("cancelled").Open();
        var fires = await UntilAsync(worker, "cancelled", fires => fires.All(IsOver));

        Assert.Equal(
            [(FireOutcome.Started, RunState.Succeeded), (FireOutcome.Started, (RunState?)RunState.Cancelled)],
            fires.Select(fire => (fire.Outcome, fire.State)));
    }

    [Fact]
    public async Task Lets_runs_overlap()
    {
        await using var worker = await WithBlockedRunAsync("allowed", OverlapPolicy.Allow);

        await worker.Schedules.TriggerAsync("allowed", Cancellation);
        var fires = await worker.Schedules.HistoryAsync("allowed", 5, Cancellation);

        Assert.Equal([RunState.Running, RunState.Running], fires.Select(fire => fire.State!.Value));
        Door.Named("allowed").Open();
        await UntilAsync(worker, "allowed", fires => fires.All(IsOver));
    }

    [Fact]
    public async Task Ten_restarts_start_the_run_of_a_time_once_even_when_the_time_is_set_back_before_each()
    {
        await using (var engine = await Fresh.OpenAsync(Toys.Catalog()))
            await AddAsync(engine, "nightly", MissedPolicy.All, OverlapPolicy.Allow, Toys.Number("a", 1));

        for (var restart = 0; restart < 10; restart++)
        {
            await SetBackAsync("nightly", days: 2);
            await using var worker = await Fresh.WorkAsync(Toys.Catalog());
            // Decided again, and found to have been decided.
            await UntilAsync(worker, "nightly", fires => fires.Count == 2 && fires.All(IsOver));
            await UntilCaughtUpAsync(worker, "nightly");
        }

        await using var reader = await Fresh.OpenAsync(Toys.Catalog());
        Assert.Equal(2, (await reader.Schedules.HistoryAsync("nightly", 10, Cancellation)).Count);
        Assert.Equal(2, (await reader.Runs.ListAsync(10, Cancellation)).Count);
    }

    [Fact]
    public async Task Four_workers_start_each_run_once()
    {
        await using (var engine = await Fresh.OpenAsync(Toys.Catalog()))
        {
            for (var i = 0; i < 5; i++)
            {
                await AddAsync(engine, $"nightly-{i}", MissedPolicy.All, OverlapPolicy.Allow, Toys.Number("a", i));
                await SetBackAsync($"nightly-{i}", days: 4);
            }
        }

        var workers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Fresh.WorkAsync(Toys.Catalog())));
        for (var i = 0; i < 5; i++)
            await UntilAsync(workers[i % 4], $"nightly-{i}", fires => fires.Count == 4 && fires.All(IsOver));

        Assert.Equal(20, (await workers[0].Runs.ListAsync(100, Cancellation)).Count);
        foreach (var worker in workers)
            await worker.DisposeAsync();
    }

    [Fact]
    public async Task Resolves_the_latest_at_each_firing_and_says_when_everything_was_reused_or_nothing_matches()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Fresh.DataFolder, "checkpoints")).FullName;
        var definition = new WorkflowDefinition(
            "toy", [Toys.Stage("write", "toy.write-file", new { text = "${model}" })],
            Parameters: new Dictionary<string, ParameterDefinition> { ["model"] = new(ParameterType.Path) });
        await using var worker = await Fresh.WorkAsync(Toys.Catalog());
        await worker.Schedules.AddAsync(
            "latest", Daily, "UTC", MissedPolicy.Skip, OverlapPolicy.Allow, definition,
            new Dictionary<string, JsonElement> { ["model"] = Json.Write($"latest:{folder}/*") }, Cancellation);

        var nothing = await worker.Schedules.TriggerAsync("latest", Cancellation);
        File.WriteAllText(Path.Combine(folder, "first"), "");
        var models = new List<string?>();
        for (var night = 0; night < 3; night++)
        {
            if (night == 2)
                File.WriteAllText(Path.Combine(folder, "second"), "");
            File.SetLastWriteTimeUtc(Path.Combine(folder, "first"), new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
            var fire = await worker.Schedules.TriggerAsync("latest", Cancellation);
            var run = await worker.WaitAsync(fire.Run!.Value, Cancellation);
            models.Add(Path.GetFileName(run.Parameters["model"].GetString()));
        }

        Assert.Equal((FireOutcome.Failed, $"latest:{folder}/*: nothing matches * in {folder}"), (nothing.Outcome, nothing.Reason));
        Assert.Equal(["first", "first", "second"], models);
        var history = await worker.Schedules.HistoryAsync("latest", 10, Cancellation);
        Assert.Equal([false, true, false, false], history.Select(fire => fire.Reused));
    }

    [Fact]
    public async Task Needs_no_worker_to_start_a_run_and_a_pause_drops_what_waits_and_what_passes()
    {
        await using var engine = await Fresh.OpenAsync(Toys.Catalog());
        await AddAsync(engine, "gpu", MissedPolicy.All, OverlapPolicy.Queue, Toys.Stage("who", "toy.who-am-i", gpu: 1));

        var started = await engine.Schedules.TriggerAsync("gpu", Cancellation);
        await engine.Schedules.TriggerAsync("gpu", Cancellation);
        await engine.Schedules.PauseAsync("gpu", "the disk is full", Cancellation);
        await SetBackAsync("gpu", days: 3);
        var paused = await engine.Schedules.FindAsync("gpu", Cancellation);
        await engine.Schedules.ResumeAsync("gpu", Cancellation);
        await using var worker = await Fresh.WorkAsync(Toys.Catalog(), 0, "cuda:0");
        await worker.WaitAsync(started.Run!.Value, Cancellation);

        Assert.Equal(RunState.Running, started.State);
        Assert.Equal(("the disk is full", null), (paused.PauseReason, paused.Next));
        var history = await engine.Schedules.HistoryAsync("gpu", 10, Cancellation);
        Assert.Equal(["the schedule was paused", null], history.Select(fire => fire.Reason));
        Assert.NotNull((await engine.Schedules.FindAsync("gpu", Cancellation)).Next);
    }

    [Fact]
    public async Task A_schedule_that_cannot_be_decided_does_not_keep_others_from_it()
    {
        await using (var engine = await Fresh.OpenAsync(Toys.Catalog()))
        {
            await AddAsync(engine, "broken", MissedPolicy.Once, OverlapPolicy.Skip, Toys.Number("a", 1));
            await AddAsync(engine, "fine", MissedPolicy.Once, OverlapPolicy.Skip, Toys.Number("a", 1));
        }

        await SetBackAsync("broken", days: 5);
        await SetBackAsync("fine", days: 1);
        await using (var db = Database.Create())
            await db.Database.ExecuteSqlAsync($"UPDATE pipelines.schedules SET zone = 'Nowhere' WHERE name = 'broken'", Cancellation);

        await using var worker = await Fresh.WorkAsync(Toys.Catalog());

        await UntilAsync(worker, "fine", fires => fires.Any(IsOver));
        Assert.Empty(await worker.Schedules.HistoryAsync("broken", 10, Cancellation));
    }
}
