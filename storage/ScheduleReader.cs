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

    /// <summary>The workflow document of a schedule, or the published one that it names; null when there is no such schedule.</summary>
    public async Task<NestedWorkflow?> SourceAsync(string name, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var found = await db.Schedules.Where(row => row.Name == name).Select(row => row.Definition).ToListAsync(cancellation);
        return found is [var definition] ? Json.Read<NestedWorkflow>(definition) : null;
    }

    /// <summary>What became of its times, the newest first.</summary>
    public async Task<IReadOnlyList<FireView>> HistoryAsync(string name, int limit, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var fires = await ViewsAsync(
            db, db.ScheduleFires.Where(fire => fire.Schedule == name).OrderByDescending(fire => fire.FireTime).Take(limit), cancellation);
        return [.. fires.Select(fire => fire.View).OrderByDescending(fire => fire.Time)];
    }

    /// <summary>By schedule what became of its last time; those that had none are not in it.</summary>
    public async Task<IReadOnlyDictionary<string, FireView>> LastAsync(CancellationToken cancellation)
    {
        await using var db = database.Create();
        var last = db.ScheduleFires.FromSql($"""
            SELECT fire.* FROM pipelines.schedules CROSS JOIN LATERAL (
                SELECT * FROM pipelines.schedule_fires WHERE schedule = name ORDER BY fire_time DESC LIMIT 1) fire
            """);
        return (await ViewsAsync(db, last, cancellation)).ToDictionary(fire => fire.Schedule, fire => fire.View);
    }

    private static async Task<List<(string Schedule, FireView View)>> ViewsAsync(
        PipelinesDb db, IQueryable<ScheduleFireRow> chosen, CancellationToken cancellation)
    {
        var fires = await (
            from fire in chosen
            join run in db.Runs on fire.RunId equals run.Id into runs
            from run in runs.DefaultIfEmpty()
            select new
            {
                Fire = fire,
                State = run == null ? (RunState?)null : run.State,
                Reused = fire.RunId != null && db.Stages.Where(stage => stage.RunId == fire.RunId).All(stage => stage.Reused),
            }).ToListAsync(cancellation);
        return fires.ConvertAll(one => (one.Fire.Schedule, new FireView(
            one.Fire.FireTime, one.Fire.Outcome, one.Fire.Triggered, one.Fire.Reason, one.Fire.RunId, one.State,
            one.Reused)));
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
