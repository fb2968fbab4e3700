using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>Reads runs, and changes nothing.</summary>
internal sealed partial class RunReader(Database database)
{
    public async Task<RunView?> FindAsync(Guid run, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var rows = await db.Runs.AsNoTracking().Where(row => row.Id == run).ToListAsync(cancellation);
        return (await ViewAsync(db, rows, cancellation)).SingleOrDefault();
    }

    public async Task<RunView> FindAsync(string text, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var rows = text == "last"
            ? await db.Runs.AsNoTracking().OrderByDescending(row => row.CreatedAt).Take(1).ToListAsync(cancellation)
            : await CalledAsync(db, text, cancellation);
        return rows switch
        {
            [_] => (await ViewAsync(db, rows, cancellation)).Single(),
            [] => throw new RunLookupException(
                text == "last" ? "there are no runs yet" : $"no run's id starts or ends with '{text}'"),
            _ => throw new RunLookupException(
                $"the ids of several runs start or end with '{text}': {string.Join(", ", rows.Select(row => row.Id))}"),
        };
    }

    public async Task<IReadOnlyList<RunView>> ListAsync(int limit, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var rows = await db.Runs.AsNoTracking().OrderByDescending(row => row.CreatedAt).Take(limit)
            .ToListAsync(cancellation);
        return await ViewAsync(db, rows, cancellation);
    }

    /// <exception cref="RunLookupException">There is no run <see cref="RunFilter.Before"/>.</exception>
    public async Task<IReadOnlyList<RunSummary>> ListAsync(RunFilter filter, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var runs = db.Runs.AsNoTracking();
        if (filter.Before is { } before)
        {
            if (!await runs.AnyAsync(run => run.Id == before, cancellation))
                throw new RunLookupException($"there is no run {before}");
            // A run's place is its time, and for those of the same time its id.
            runs = db.Runs.FromSql($"""
                SELECT * FROM pipelines.runs
                WHERE (created_at, id) < (SELECT created_at, id FROM pipelines.runs WHERE id = {before})
                """).AsNoTracking();
        }

        if (filter.State is { } state)
            runs = runs.Where(run => run.State == state);
        if (filter.Name is { } name)
            runs = runs.Where(run => EF.Functions.ILike(run.Name, $"%{Wildcard().Replace(name, @"\$0")}%", @"\"));
        var found = await runs.OrderByDescending(run => run.CreatedAt).ThenByDescending(run => run.Id).Take(filter.Limit)
            .Select(run => new { run.Id, run.Name, run.State, run.CreatedAt, run.FinishedAt, run.DefinitionVersion, run.StartedBy })
            .ToListAsync(cancellation);
        var ids = found.ConvertAll(run => run.Id);
        var counts = await db.Stages.Where(stage => ids.Contains(stage.RunId)).GroupBy(stage => new { stage.RunId, stage.State })
            .Select(group => new { group.Key.RunId, group.Key.State, Count = group.Count() }).ToListAsync(cancellation);
        var byRun = counts.ToLookup(count => count.RunId);
        return found.ConvertAll(run => new RunSummary(
            run.Id, run.Name, run.State, run.CreatedAt, run.FinishedAt, run.DefinitionVersion, run.StartedBy,
            byRun[run.Id].ToDictionary(count => count.State, count => count.Count)));
    }

    /// <returns>Those that there are, in the order that was asked for.</returns>
    public async Task<IReadOnlyList<RunView>> FindAsync(IReadOnlyList<Guid> runs, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var rows = await db.Runs.AsNoTracking().Where(row => runs.Contains(row.Id)).ToListAsync(cancellation);
        var views = (await ViewAsync(db, rows, cancellation)).ToDictionary(view => view.Id);
        return [.. runs.Where(views.ContainsKey).Select(run => views[run])];
    }

    /// <returns>The oldest first; null when the run has no such stage.</returns>
    public async Task<IReadOnlyList<AttemptView>?> AttemptsAsync(Guid run, string stage, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var attempts = await db.Attempts.Where(row => row.RunId == run && row.Stage == stage).OrderBy(row => row.Attempt)
            .Select(row => new AttemptView(
                row.Attempt, row.Worker, row.Device, row.StartedAt, row.FinishedAt, row.Outcome, row.ExitCode, row.Error, row.FromStep))
            .ToListAsync(cancellation);
        return attempts.Count > 0 || await db.Stages.AnyAsync(row => row.RunId == run && row.Id == stage, cancellation) ? attempts : null;
    }

    public async Task<RunState> StateAsync(Guid run, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var found = await db.Runs.Where(row => row.Id == run).Select(row => row.State).ToListAsync(cancellation);
        return found is [var state] ? state : throw new RunLookupException($"there is no run {run}");
    }

    public async Task<IReadOnlyList<LogLine>> LogsAsync(
        Guid run, string? stage, long afterId, int most, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var lines = db.StageLogs.Where(line => line.RunId == run && line.Id > afterId);
        if (stage is not null)
            lines = lines.Where(line => line.Stage == stage);
        return await lines.OrderBy(line => line.Id).Take(most)
            .Select(line => new LogLine(line.Id, line.Stage, line.Attempt, line.At, line.Text))
            .ToListAsync(cancellation);
    }

    public async Task<IReadOnlyList<AttemptMetrics>> MetricsAsync(Guid run, string stage, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var points = await db.StageMetrics.Where(point => point.RunId == run && point.Stage == stage)
            .OrderBy(point => point.Id).Select(point => new { point.Attempt, point.Name, point.Step, point.Value })
            .ToListAsync(cancellation);
        return
        [
            .. points.GroupBy(point => point.Attempt).OrderBy(attempt => attempt.Key).Select(attempt => new AttemptMetrics(
                attempt.Key, [.. attempt.Select(point => new MetricPoint(point.Name, point.Step, point.Value))])),
        ];
    }

    [GeneratedRegex(@"[\\%_]")]
    private static partial Regex Wildcard();

    private static Task<List<RunRow>> CalledAsync(PipelinesDb db, string text, CancellationToken cancellation)
    {
        var part = text.ToLowerInvariant();
        if (part.Length == 0 || !part.All(letter => char.IsAsciiHexDigitLower(letter) || letter == '-'))
            throw new RunLookupException($"'{text}' is no part of a run's id");
        return db.Runs.FromSql($"""
            SELECT * FROM pipelines.runs WHERE starts_with(id::text, {part}) OR right(id::text, length({part})) = {part}
            ORDER BY created_at DESC LIMIT 5
            """).AsNoTracking().ToListAsync(cancellation);
    }

    private static async Task<List<RunView>> ViewAsync(
        PipelinesDb db, List<RunRow> runs, CancellationToken cancellation)
    {
        var ids = runs.ConvertAll(run => run.Id);
        var stages = await db.Stages.AsNoTracking().Where(stage => ids.Contains(stage.RunId))
            .OrderBy(stage => stage.Position).ToListAsync(cancellation);
        var now = (await db.Database.SqlQuery<DateTimeOffset>($"SELECT now() AS \"Value\"").ToListAsync(cancellation))[0];
        var byRun = stages.ToLookup(stage => stage.RunId);
        var served = stages.Exists(stage => stage.State == StageState.Ready)
            ? await WorkerStore.SlotsAsync(db, cancellation)
            : [];
        return runs.ConvertAll(run => View(run, byRun[run.Id], now, served));
    }

    private static RunView View(RunRow run, IEnumerable<StageRow> rows, DateTimeOffset now, Dictionary<string, int> served)
    {
        var definition = Json.Read<WorkflowDefinition>(run.Definition);
        var stages = rows.Select(row => View(row, now, served)).ToList();
        return new RunView(
            run.Id, run.Name, run.State, run.CreatedAt, run.FinishedAt,
            Json.Read<Dictionary<string, JsonElement>>(run.Parameters), definition, Outputs(run, stages), stages);
    }

    private static StageView View(StageRow row, DateTimeOffset now, Dictionary<string, int> served) => new(
        row.Id, row.Kind, row.State, row.Attempt, row.Reused,
        row.StartedAt is { } started ? ((row.FinishedAt ?? now) - started).TotalSeconds : null,
        row.Progress is { } progress ? Json.Read<StageProgress>(progress) : null,
        row.Outputs is { } outputs ? Json.Read<JsonElement>(outputs) : null,
        row.Error, row.Worker, WaitsFor(row, now, served), row.Reason,
        row.Variables is { } variables ? Json.Read<Dictionary<string, JsonElement>>(variables) : null,
        row.StartedAt, row.Device);

    private static string? WaitsFor(StageRow row, DateTimeOffset now, Dictionary<string, int> served)
    {
        if (row.State != StageState.Ready)
            return null;
        if (row.ReadyAt > now)
            return $"the pause before attempt {row.Attempt + 1}, {Math.Ceiling((row.ReadyAt.Value - now).TotalSeconds)} s";
        return served.ContainsKey(row.Group) ? null : $"a worker that serves {row.Group}";
    }

    private static Dictionary<string, JsonElement> Outputs(RunRow run, List<StageView> stages)
    {
        var made = stages.ToDictionary(stage => stage.Id, stage => stage.Outputs);
        return PlannedInput.Values(Json.Read<Dictionary<string, PlannedInput>>(run.Outputs), made.GetValueOrDefault)
            .ToDictionary(output => output.Key, output => Json.Write(output.Value));
    }
}
