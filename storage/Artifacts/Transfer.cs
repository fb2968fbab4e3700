using Microsoft.Extensions.Logging;

namespace Pipelines.Storage.Artifacts;

/// <summary>How far a transfer is; one that takes long says so now and then.</summary>
internal sealed partial class Transfer(string artifact, string direction, long total, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Next = TimeSpan.FromSeconds(10);

    private readonly long began = time.GetTimestamp();
    private TimeSpan due = First;

    public long Done { get; private set; }

    /// <param name="done">Bytes, from the beginning.</param>
    public void Reach(long done)
    {
        Done = done;
        var elapsed = time.GetElapsedTime(began);
        if (elapsed < due)
            return;
        due = elapsed + Next;
        LogProgress(artifact, direction, done, total);
    }

    [LoggerMessage(LogLevel.Information, "Artifact {Hash} {Direction}: {Done} of {Total} bytes")]
    private partial void LogProgress(string hash, string direction, long done, long total);
}
