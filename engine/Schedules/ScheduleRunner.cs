using Microsoft.Extensions.Logging;
using Pipelines.Engine.Definitions;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine.Schedules;

/// <summary>Decides what becomes of the times of schedules. Any number may do so at once: each schedule is taken by one.</summary>
internal sealed partial class ScheduleRunner(
    ScheduleStore schedules, DefinitionBook definitions, Catalog catalog, ILogger<ScheduleRunner> logger)
{
    /// <summary>Decides everything that is due.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        var tried = new List<string>();
        while (await schedules.TakeDueAsync(tried, cancellation) is { } due)
        {
            await using var turn = due;
            tried.Add(turn.Row.Name);
            FaultPoint.Reach(FaultPoint.ScheduleTaken, turn.Row.Name);
            try
            {
                await DecideAsync(turn, cancellation);
            }
            catch (Exception error) when (error is not OperationCanceledException && !Recording.IsPassing(error))
            {
                LogUndecided(turn.Row.Name, error.Message); // this machine lacks its zone, say; the other schedules go on
            }
        }
    }

    /// <summary>Fires now, whatever the cron says; what is due by the cron is left to it.</summary>
    /// <returns>When it fired.</returns>
    public async Task<DateTimeOffset> TriggerAsync(ScheduleTurn turn, CancellationToken cancellation)
    {
        await FireAsync(turn, turn.Now, triggered: true, cancellation);
        await turn.CommitAsync(turn.Row.LastFire, turn.Row.NextFire, cancellation);
        return turn.Now;
    }

    /// <summary>
    /// What is due until now is decided by what the schedule was, so that nothing is lost or fires twice; then it is edited,
    /// and its next time is the first one after now.
    /// </summary>
    public async Task EditAsync(ScheduleTurn turn, ScheduleRow edited, CancellationToken cancellation)
    {
        var cron = Cron.Parse(edited.Cron, edited.Zone);
        if (turn.Row.PausedAt is null)
            await DecideTimesAsync(turn, Cron.Parse(turn.Row.Cron, turn.Row.Zone), cancellation);
        await turn.ReplaceAsync(edited, cancellation);
        await turn.CommitAsync(turn.Now, cron.After(turn.Now), cancellation);
    }

    private async Task DecideAsync(ScheduleTurn turn, CancellationToken cancellation)
    {
        var row = turn.Row;
        var cron = Cron.Parse(row.Cron, row.Zone);
        if (await turn.QueuedAsync(cancellation) is { } waiting && await turn.RunningAsync(cancellation) is [])
        {
            var (plan, version, fault) = await TryPlanAsync(row, cancellation);
            await turn.EndWaitAsync(waiting, plan is null ? FireOutcome.Failed : FireOutcome.Started, fault, cancellation);
            if (plan is not null)
                await turn.StartAsync(waiting, plan, cancellation, version);
        }

        var last = await DecideTimesAsync(turn, cron, cancellation);
        await turn.CommitAsync(last, cron.After(last), cancellation);
        FaultPoint.Reach(FaultPoint.ScheduleCommitted, row.Name);
    }

    /// <returns>The last time that is decided.</returns>
    private async Task<DateTimeOffset> DecideTimesAsync(ScheduleTurn turn, Cron cron, CancellationToken cancellation)
    {
        var row = turn.Row;
        var due = DueTimes.Of(cron, row.LastFire, turn.Now, row.Missed);
        if (due.More)
            LogMany(row.Name, DueTimes.Most);
        foreach (var (time, fires) in due.Times)
        {
            if (fires)
                await FireAsync(turn, time, triggered: false, cancellation);
            else
                await turn.NoteAsync(time, false, FireOutcome.Skipped, "missed: no worker was up", cancellation);
        }

        return due.Times is [.., var latest] ? latest.Time : row.LastFire;
    }

    private async Task FireAsync(ScheduleTurn turn, DateTimeOffset time, bool triggered, CancellationToken cancellation)
    {
        var overlap = turn.Row.Overlap;
        var running = overlap == OverlapPolicy.Allow ? [] : await turn.RunningAsync(cancellation);
        if (running is [.., var previous] && overlap is OverlapPolicy.Skip or OverlapPolicy.Queue)
        {
            var full = overlap == OverlapPolicy.Queue && await turn.QueuedAsync(cancellation) is not null;
            var (outcome, why) = overlap == OverlapPolicy.Skip
                ? (FireOutcome.Skipped, $"run {previous} was still running")
                : full ? (FireOutcome.Skipped, "another one was waiting already") : (FireOutcome.Queued, null);
            await turn.NoteAsync(time, triggered, outcome, why, cancellation);
            return;
        }

        // What cannot start cancels nothing, and neither does what was decided before.
        var (plan, version, fault) = await TryPlanAsync(turn.Row, cancellation);
        var noted = await turn.NoteAsync(
            time, triggered, plan is null ? FireOutcome.Failed : FireOutcome.Started, fault, cancellation);
        FaultPoint.Reach(FaultPoint.ScheduleNoted, turn.Row.Name);
        if (!noted || plan is null)
            return;
        foreach (var run in running)
            await turn.CancelAsync(run, cancellation);
        LogStarted(turn.Row.Name, time, await turn.StartAsync(time, plan, cancellation, version));
        FaultPoint.Reach(FaultPoint.ScheduleStarted, turn.Row.Name);
    }

    private async Task<(Plan? Plan, int? Version, string? Fault)> TryPlanAsync(ScheduleRow row, CancellationToken cancellation)
    {
        try
        {
            var (plan, version) = await ScheduledPlan.OfAsync(row, definitions, catalog, cancellation);
            return (plan, version, null);
        }
        catch (EngineException error)
        {
            LogFailed(row.Name, error.Message);
            return (null, null, error.Message);
        }
    }

    [LoggerMessage(LogLevel.Information, "Schedule {Schedule}, {Time:u}: run {RunId}")]
    private partial void LogStarted(string schedule, DateTimeOffset time, Guid runId);

    [LoggerMessage(LogLevel.Warning, "Schedule {Schedule} starts no run: {Reason}")]
    private partial void LogFailed(string schedule, string reason);

    [LoggerMessage(LogLevel.Error, "Schedule {Schedule} cannot be decided: {Reason}")]
    private partial void LogUndecided(string schedule, string reason);

    [LoggerMessage(LogLevel.Warning, "Schedule {Schedule} missed more than {Most} times; the earlier ones are left out")]
    private partial void LogMany(string schedule, int most);
}
