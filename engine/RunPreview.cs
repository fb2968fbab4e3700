using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>What starting a run would do with a stage.</summary>
/// <param name="Reused">Whether its stored result would stand; null where that shows only when what feeds it was computed.</param>
/// <param name="Reason">Why it would not, or why it cannot be told.</param>
/// <param name="Skipped">Whether it would not run at all.</param>
public sealed record StagePreview(
    string Id, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] bool? Reused, string? Reason, bool Skipped = false);

/// <summary>Walks a plan with the results that are stored, as the worker would.</summary>
internal sealed class RunPreview(Database database, Catalog catalog, StageCache cache)
{
    private readonly Dictionary<string, JsonElement?> outputs = [];
    private readonly HashSet<string> unknown = [];

    public async Task<IReadOnlyList<StagePreview>> WalkAsync(Plan plan, bool useCache, CancellationToken cancellation)
    {
        var stored = await AsStoredAsync(plan, cancellation);
        var previews = new List<StagePreview>();
        foreach (var (stage, values) in plan.Stages.Zip(stored))
        {
            var preview = await LookAsync(plan.Definition.Name, stage, values, useCache, cancellation);
            if (preview is not ({ Reused: true } or { Skipped: true }))
                unknown.Add(stage.Id);
            previews.Add(preview);
        }

        return previews;
    }

    private async Task<StagePreview> LookAsync(
        string workflow, PlannedStage stage, StoredValues values, bool useCache, CancellationToken cancellation)
    {
        if (stage.Feeders.Where(unknown.Contains).ToArray() is { Length: > 0 } computed)
            return new StagePreview(stage.Id, null, $"it depends on what {string.Join(" and ", computed)} will give");
        JsonElement? Made(string id) => outputs.GetValueOrDefault(id);
        if (stage.Gate is { } gate && Gating.Of(gate, stage.Inputs, Made) is { State: not StageState.Ready } gating)
            return new StagePreview(stage.Id, false, gating.Reason, Skipped: gating.State == StageState.Skipped);
        if (!useCache || !stage.Cache)
            return new StagePreview(stage.Id, false, useCache ? "the stage does without stored results" : "the run does without stored results");

        var (outside, failure) = SourceOf(stage, values.Parameters);
        if (failure is not null)
            return new StagePreview(stage.Id, null, failure);
        var key = CacheKey.Of(stage.Kind, stage.Version, values.Parameters, Json.Write(PlannedInput.Values(values.Inputs, Made)), outside);
        var (found, reason) = await cache.FindAsync(workflow, stage.Id, key, cancellation);
        outputs[stage.Id] = found;
        return new StagePreview(stage.Id, found is not null, found is null ? reason ?? "it was never computed" : null);
    }

    /// <summary>What it reads from outside may be there only where the stage will run.</summary>
    private (string? Source, string? Failure) SourceOf(PlannedStage stage, JsonElement parameters)
    {
        try
        {
            return (catalog.Find(stage.Kind, stage.Version).Source(parameters), null);
        }
        catch (Exception error) when (error is StageException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            return (null, $"it cannot be told here: {error.Message}");
        }
    }

    /// <summary>As Postgres gives them back: it writes some numbers in another way, and keys are made of what it gives.</summary>
    private async Task<IReadOnlyList<StoredValues>> AsStoredAsync(Plan plan, CancellationToken cancellation)
    {
        var values = Json.Write(plan.Stages.Select(stage => new StoredValues(stage.Parameters, stage.Inputs))).GetRawText();
        await using var db = database.Create();
        var read = await db.Database.SqlQuery<string>($"SELECT ({values}::jsonb)::text AS \"Value\"").ToListAsync(cancellation);
        return Json.Read<IReadOnlyList<StoredValues>>(read[0]);
    }

    private sealed record StoredValues(JsonElement Parameters, IReadOnlyDictionary<string, PlannedInput> Inputs);
}
