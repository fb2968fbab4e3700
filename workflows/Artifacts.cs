namespace Pipelines.Workflows;

/// <summary>
/// Where artifacts live. An artifact is an immutable folder of files, named by the hash of its content
/// (<c>sha256:…</c> over its sorted list of file names, sizes and hashes).
/// </summary>
public interface IArtifacts
{
    /// <summary>An empty draft, beside the place where the artifact will lie.</summary>
    ArtifactDraft Begin();

    /// <summary>The folder of the artifact, every file checked against its hash. Read only.</summary>
    /// <exception cref="ArtifactException">The artifact is absent or damaged; says which file and how.</exception>
    Task<string> OpenAsync(string hash, CancellationToken cancellation);
}

/// <summary>
/// A folder to write an artifact's files into. Nothing of it is visible until it is committed; disposed without that,
/// it is deleted.
/// </summary>
public abstract class ArtifactDraft : IAsyncDisposable
{
    public abstract string Folder { get; }

    /// <summary>Hashes, flushes and renames the folder into its place; the same content a second time costs only the hashing.</summary>
    /// <returns>The artifact's hash, <c>sha256:…</c>.</returns>
    public abstract Task<string> CommitAsync(CancellationToken cancellation);

    public abstract ValueTask DisposeAsync();
}

/// <summary>An artifact that is missing, damaged or cannot be written.</summary>
public sealed class ArtifactException : Exception
{
    public ArtifactException(string message)
        : base(message)
    {
    }

    public ArtifactException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
