namespace Pipelines.Storage.Artifacts;

/// <summary>The server that keeps the artifacts of a worker on another machine.</summary>
public sealed class ArtifactServer
{
    public required Uri Address { get; init; }

    /// <summary>What it wants to be shown; null for a server that wants nothing.</summary>
    public string? Token { get; init; }

    /// <summary>Bytes that copies of artifacts may take on this machine.</summary>
    public required long CacheSize { get; init; }

    /// <summary>How long a transfer that makes no progress is tried again.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Without the token.</summary>
    public override string ToString() => Address.ToString();
}
