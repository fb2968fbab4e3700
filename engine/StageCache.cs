using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>Results by cache key, as long as the artifacts that they name are whole.</summary>
internal sealed class StageCache(StageStore stages, ArtifactDirectory artifacts)
{
    public async Task<JsonElement?> FindAsync(string key, CancellationToken cancellation)
    {
        if (await stages.FindResultAsync(key, cancellation) is not { } outputs)
            return null;
        try
        {
            foreach (var hash in Hashes(outputs))
                await artifacts.OpenAsync(hash, cancellation);
            return outputs;
        }
        catch (ArtifactException)
        {
            return null; // deleted or damaged since: computed anew
        }
    }

    private static IEnumerable<string> Hashes(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String when Manifest.IsHash(json.GetString()!) => [json.GetString()!],
        JsonValueKind.Object => json.EnumerateObject().SelectMany(member => Hashes(member.Value)),
        JsonValueKind.Array => json.EnumerateArray().SelectMany(Hashes),
        _ => [],
    };
}
