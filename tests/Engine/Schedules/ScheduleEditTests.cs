using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Pipelines.Engine;
using Pipelines.Engine.Schedules;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Engine.Schedules;

/// <summary>Schedules that are changed while they fire.</summary>
public sealed class ScheduleEditTests(FreshDatabase fresh) : SchedulesSetBack(fresh)
{
    [Fact]
    public async Task What_was_due_before_an_edit_is_decided_by_what_the_schedule_was_and_once()
    {
        await using var engine = await Fresh.OpenAsync(Toys.Catalog());
        await AddAsync(engine, "nightly", MissedPolicy.All, OverlapPolicy.Allow, Toys.Number("a", 1));
        await SetBackAsync("nightly", days: 2);

        var edited = await engine.Schedules.EditAsync(
            "nightly", new ScheduleChange(Cron: $"30{Daily[1..]}", Zone: "Europe/Berlin", Missed: MissedPolicy.Skip, Overlap: OverlapPolicy.Queue), Cancellation);
        await using var worker = await Fresh.WorkAsync(Toys.Catalog());
        var fires = await UntilAsync(worker, "nightly", fires => fires.All(IsOver));

        Assert.Equal(
            ("Europe/Berlin", MissedPolicy.Skip, OverlapPolicy.Queue, "toy"), (edited.Zone, edited.Missed, edited.Overlap, edited.Workflow));
        Assert.Equal(30, edited.Next!.Value.Minute);
        Assert.InRange(edited.Next.Value, TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddDays(1));
        Assert.Equal([FireOutcome.Started, FireOutcome.Started], fires.Select(fire => fire.Outcome));
        Assert.All(fires, fire => Assert.Equal(0, fire.Time.Minute));
        Assert.Equal(2, (await engine.Runs.ListAsync(10, Cancellation)).Count);
    }

    [Fact]
    public async Task An_edit_waits_for_the_fire_that_is_under_way_and_does_not_repeat_it()
    {
        await using var engine = await Fresh.OpenAsync(Toys.Catalog());
        await AddAsync(engine, "nightly", MissedPolicy.All, OverlapPolicy.Allow, Toys.Number("a", 1));
        await SetBackAsync("nightly", days: 1);
        var store = new ScheduleStore(Database, (db, _, cancellation) => db.Database.CommitTransactionAsync(cancellation));
        Task<ScheduleView> edit;
        await using (var turn = (await store.TakeDueAsync([], Cancellation))!)
        {
            edit = engine.Schedules.EditAsync("nightly", new ScheduleChange(Cron: "* * * * *"), Cancellation);
            var due = TimeProvider.System.GetUtcNow().Date.AddHours(int.Parse(Daily.Split(' ')[1]));
            var time = new DateTimeOffset(due > TimeProvider.System.GetUtcNow() ? due.AddDays(-1) : due, TimeSpan.Zero);
            Assert.True(await turn.NoteAsync(time, false, FireOutcome.Started, null, Cancellation));
            await turn.StartAsync(time, Toys.Plan(Toys.Number("a", 1)), Cancellation);
            await Fresh.UntilBlockedAsync(Cancellation);
            Assert.False(edit.IsCompleted);
            await turn.CommitAsync(time, time.AddDays(1), Cancellation);
        }

        var edited = await edit;

        Assert.Equal("* * * * *", edited.Cron);
        Assert.Single(await engine.Schedules.HistoryAsync("nightly", 10, Cancellation));
    }

    [Fact]
    public async Task Edits_beside_four_workers_neither_lose_a_time_nor_fire_one_twice()
    {
        await using (var engine = await Fresh.OpenAsync(Toys.Catalog()))
            await AddAsync(engine, "nightly", MissedPolicy.All, OverlapPolicy.Allow, Toys.Number("a", 1));
        var workers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Fresh.WorkAsync(Toys.Catalog())));

        for (var round = 0; round < 5; round++)
        {
            // Decided again, and found to have been decided, by whoever comes first.
            await SetBackAsync("nightly", days: 4);
            await Task.WhenAll(workers.Select(worker => worker.Schedules.EditAsync("nightly", new ScheduleChange(Cron: Daily), Cancellation)));
        }

        var fires = await UntilAsync(workers[0], "nightly", fires => fires.All(IsOver));
        Assert.Equal(4, fires.Count);
        Assert.Equal(4, (await workers[0].Runs.ListAsync(100, Cancellation)).Count);
        foreach (var worker in workers)
            await worker.DisposeAsync();
    }

    [Fact]
    public async Task An_edit_keeps_what_it_does_not_name_and_drops_the_values_that_a_new_workflow_does_not_have()
    {
        await using var engine = await Fresh.OpenAsync(Toys.Catalog());
        WorkflowDefinition Definition(params string[] parameters) => new(
            "toy", [Toys.Stage("a", "toy.number", new { value = "${n}" })],
            Parameters: parameters.ToDictionary(name => name, _ => new ParameterDefinition(ParameterType.Number)));
        await engine.Schedules.AddAsync(
            "kept", Daily, "UTC", MissedPolicy.Skip, OverlapPolicy.Queue, Definition("n", "old"),
            new Dictionary<string, JsonElement> { ["n"] = Json.Write(3), ["old"] = Json.Write(1) }, Cancellation);
        await engine.Schedules.PauseAsync("kept", "the disk is full", Cancellation);

        var edited = await engine.Schedules.EditAsync("kept", new ScheduleChange(Document: Definition("n")), Cancellation);
        var error = await Assert.ThrowsAsync<EngineException>(() => engine.Schedules.EditAsync(
            "kept", new ScheduleChange(Cron: "0 0 * * *", Parameters: new Dictionary<string, JsonElement>()), Cancellation));
        var after = await engine.Schedules.FindAsync("kept", Cancellation);

        Assert.Equal(
            (Daily, OverlapPolicy.Queue, "the disk is full", null), (edited.Cron, edited.Overlap, edited.PauseReason, edited.Next));
        Assert.Equal(("n", 3), Assert.Single(edited.Parameters.Select(one => (one.Key, one.Value.GetInt32()))));
        Assert.Contains("parameter 'n' must be set", error.Message, StringComparison.Ordinal);
        Assert.Equal(Daily, after.Cron);
    }
}
