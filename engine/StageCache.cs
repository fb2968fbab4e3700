using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;

namespace Pipelines.Engine;

/// <summary>Results by cache key, as long as the artifacts that they name are whole.</summary>
internal sealed class StageCache(StageStore stages, ArtifactStore artifacts)
{
    public async Task<JsonElement?> FindAsync(string key, CancellationToken cancellation)
    {
        // What was deleted or damaged since is computed anew.
        return await stages.FindResultAsync(key, cancellation) is { } outputs && await AreWholeAsync(artifacts, outputs, cancellation)
            ? outputs
            : null;
    }

    /// <summary>Whether every artifact that these outputs name is there, and as it was.</summary>
    public static async Task<bool> AreWholeAsync(ArtifactStore artifacts, JsonElement outputs, CancellationToken cancellation)
    {
        foreach (var hash in Hashes(outputs))
        {
            if (!await artifacts.IsWholeAsync(hash, cancellation))
                return false;
        }

        return true;
    }

    private static IEnumerable<string> Hashes(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String when Manifest.IsHash(json.GetString()!) => [json.GetString()!],
        JsonValueKind.Object => json.EnumerateObject().SelectMany(member => Hashes(member.Value)),
        JsonValueKind.Array => json.EnumerateArray().SelectMany(Hashes),
        _ => [],
    };
}
