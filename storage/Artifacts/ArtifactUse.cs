using System.Collections.Concurrent;
using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

/// <summary>What one attempt of a stage does with artifacts: those that it opened stay until it has ended.</summary>
internal sealed class ArtifactUse(ArtifactStore artifacts) : IArtifacts, IDisposable
{
    private readonly ConcurrentDictionary<string, IDisposable> holds = new();

    public ArtifactDraft Begin() => artifacts.Begin();

    public async Task<string> OpenAsync(string hash, CancellationToken cancellation)
    {
        var (folder, hold) = await artifacts.HoldAsync(hash, cancellation);
        if (hold is not null && !holds.TryAdd(hash, hold))
            hold.Dispose();
        return folder;
    }

    /// <inheritdoc cref="ArtifactStore.RemoveAsync"/>
    public Task RemoveAsync(string hash, CancellationToken cancellation) => artifacts.RemoveAsync(hash, cancellation);

    public void Dispose()
    {
        foreach (var hold in holds.Values)
            hold.Dispose();
    }
}
