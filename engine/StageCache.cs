using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>Results by cache key, as long as the artifacts that they name are whole.</summary>
internal sealed class StageCache(ResultReader results, ArtifactStore artifacts)
{
    /// <returns>The stored result, or why there is none: null when the stage was never run before.</returns>
    public async Task<(JsonElement? Outputs, string? Reason)> FindAsync(
        StageClaim claim, CacheKey key, CancellationToken cancellation) =>
        await ChooseAsync(await results.FindAsync(claim, key, cancellation), key, cancellation);

    /// <summary>The same for a run that was not started yet.</summary>
    /// <param name="workflow">Its name.</param>
    /// <returns>As <see cref="FindAsync(StageClaim, CacheKey, CancellationToken)"/>.</returns>
    public async Task<(JsonElement? Outputs, string? Reason)> FindAsync(
        string workflow, string stage, CacheKey key, CancellationToken cancellation) =>
        await ChooseAsync(await results.FindAsync(workflow, stage, key, cancellation), key, cancellation);

    private async Task<(JsonElement? Outputs, string? Reason)> ChooseAsync(
        (JsonElement? Outputs, CacheKey? Before) found, CacheKey key, CancellationToken cancellation)
    {
        var (outputs, before) = found;
        if (outputs is { } stored)
        {
            return await AreWholeAsync(artifacts, stored, cancellation)
                ? (stored, null)
                : (null, "the stored result was deleted or damaged");
        }

        return (null, before is null ? null : key.Difference(before) switch
        {
            "" => "the stored result is gone",
            var difference => difference,
        });
    }

    /// <summary>Whether every artifact that these outputs name is there, and as it was.</summary>
    public static async Task<bool> AreWholeAsync(ArtifactStore artifacts, JsonElement outputs, CancellationToken cancellation)
    {
        foreach (var hash in Manifest.HashesIn(outputs))
        {
            if (!await artifacts.IsWholeAsync(hash, cancellation))
                return false;
        }

        return true;
    }
}
