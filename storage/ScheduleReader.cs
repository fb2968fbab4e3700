using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>Reads schedules and their history, and changes nothing.</summary>
internal sealed class ScheduleReader(Database database)
{
    /// <summary>By name.</summary>
    public async Task<IReadOnlyList<ScheduleView>> ListAsync(CancellationToken cancellation)
    {
        await using var db = database.Create();
        var rows = await db.Schedules.AsNoTracking().OrderBy(row => row.Name).ToListAsync(cancellation);
        return rows.ConvertAll(View);
    }

    public async Task<ScheduleView?> FindAsync(string name, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var rows = await db.Schedules.AsNoTracking().Where(row => row.Name == name).ToListAsync(cancellation);
        return rows is [var row] ? View(row) : null;
    }

    /// <summary>What became of its times, the newest first.</summary>
    public async Task<IReadOnlyList<FireView>> HistoryAsync(string name, int limit, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var fires = await (
            from fire in db.ScheduleFires
            where fire.Schedule == name
            orderby fire.FireTime descending
            join run in db.Runs on fire.RunId equals run.Id into runs
            from run in runs.DefaultIfEmpty()
            select new
            {
                Fire = fire,
                State = run == null ? (RunState?)null : run.State,
                Reused = fire.RunId != null && db.Stages.Where(stage => stage.RunId == fire.RunId).All(stage => stage.Reused),
            }).Take(limit).ToListAsync(cancellation);
        return fires.ConvertAll(one => new FireView(
            one.Fire.FireTime, one.Fire.Outcome, one.Fire.Triggered, one.Fire.Reason, one.Fire.RunId, one.State,
            one.Reused));
    }

    private static ScheduleView View(ScheduleRow row)
    {
        var source = Json.Read<NestedWorkflow>(row.Definition);
        var reference = source.Path is { } path ? DefinitionReference.Parse(path) : null;
        return new ScheduleView(
            row.Name, source.Definition?.Name ?? reference!.Name, row.Cron, row.Zone, row.Missed, row.Overlap,
            Json.Read<Dictionary<string, JsonElement>>(row.Parameters), row.CreatedAt,
            row.PausedAt is null ? row.NextFire : null, row.PausedAt, row.PauseReason, reference?.Name, reference?.Version);
    }
}
