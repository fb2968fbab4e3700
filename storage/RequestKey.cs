using Microsoft.EntityFrameworkCore;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>The name that somebody gives the run that they ask for, so that asking twice starts one.</summary>
internal static class RequestKey
{
    public const int Longest = 200;

    /// <summary>Waits until nobody else starts a run of this key; the transaction is then the only one.</summary>
    /// <returns>The run that has the key; null when there is none.</returns>
    /// <exception cref="RunStateException">It has another workflow, or other parameters.</exception>
    public static async Task<Guid?> FindAsync(PipelinesDb db, string key, Plan plan, CancellationToken cancellation)
    {
        if (key.Length is 0 or > Longest || key.Contains('\0', StringComparison.Ordinal))
            throw new RunStateException($"the key has {key.Length} characters: expected 1 to {Longest}, none of them zero");
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended({key}, 0))", cancellation);
        var (definition, parameters) = (Json.Write(plan.Definition).GetRawText(), Json.Write(plan.Parameters).GetRawText());
        var found = await db.Database.SqlQuery<Keyed>($"""
            SELECT id AS "Id", definition = {definition}::jsonb AS "SameWorkflow", parameters = {parameters}::jsonb AS "SameParameters"
            FROM pipelines.runs WHERE request_key = {key}
            """).ToListAsync(cancellation);
        return found switch
        {
            [] => null,
            [{ SameWorkflow: true, SameParameters: true } same] => same.Id,
            [var other] => throw new RunStateException(
                $"run {other.Id} has the key '{key}' and {(other.SameWorkflow ? "other parameters" : "another workflow")}: "
                + "expected the same workflow and parameters, or another key"),
            _ => throw new InvalidOperationException($"several runs have the key '{key}'"),
        };
    }

    private sealed record Keyed(Guid Id, bool SameWorkflow, bool SameParameters);
}
