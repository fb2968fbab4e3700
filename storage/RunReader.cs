using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>Reads runs, and changes nothing.</summary>
internal sealed class RunReader(Database database)
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

    public async Task<RunState> StateAsync(Guid run, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var found = await db.Runs.Where(row => row.Id == run).Select(row => row.State).ToListAsync(cancellation);
        return found is [var state] ? state : throw new RunLookupException($"there is no run {run}");
    }

    public async Task<IReadOnlyList<LogLine>> LogsAsync(
        Guid run, string? stage, long afterId, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var lines = db.StageLogs.Where(line => line.RunId == run && line.Id > afterId);
        if (stage is not null)
            lines = lines.Where(line => line.Stage == stage);
        return await lines.OrderBy(line => line.Id)
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
        var outputs = new Dictionary<string, JsonElement>();
        foreach (var (name, source) in Json.Read<Dictionary<string, PlannedInput>>(run.Outputs))
        {
            if (source.Value(made.GetValueOrDefault) is { } value)
                outputs[name] = Json.Write(value);
        }

        return outputs;
    }
}
