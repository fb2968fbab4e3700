using Microsoft.Extensions.Logging;
using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

/// <summary>Artifacts as the engine needs them, in the data folder or at a server.</summary>
internal abstract class ArtifactStore : IArtifacts
{
    /// <param name="server">Where they are; null for the data folder.</param>
    public static ArtifactStore Open(
        ArtifactServer? server, string dataFolder, ProcessFolder work, TimeProvider time, ILoggerFactory loggers) => server is null
        ? new ArtifactDirectory(dataFolder, work)
        : new RemoteArtifacts(server, dataFolder, work, time, loggers.CreateLogger<RemoteArtifacts>());

    public abstract ArtifactDraft Begin();

    public abstract Task<string> OpenAsync(string hash, CancellationToken cancellation);

    /// <summary>As <see cref="OpenAsync"/>; the folder stays where it is until the hold is let go.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    public abstract Task<HeldArtifact> HoldAsync(string hash, CancellationToken cancellation);

    /// <summary>Whether it is there and as it was; it counts as used again. Nothing is fetched for the answer.</summary>
    public abstract Task<bool> IsWholeAsync(string hash, CancellationToken cancellation);

    /// <summary>Takes away an artifact that nothing refers to any more. One that stays is garbage, and collected as such.</summary>
    public abstract Task RemoveAsync(string hash, CancellationToken cancellation);

    /// <summary>The artifacts for one attempt of a stage.</summary>
    public ArtifactUse Use() => new(this);
}

/// <param name="Hold">Null where nothing is ever evicted.</param>
internal sealed record HeldArtifact(string Folder, IDisposable? Hold);
