using System.Runtime.InteropServices;
using Pipelines.Engine.Isolation;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>What a stage's exception tells its user, and what it tells whoever mends the activity.</summary>
internal static class StageFailure
{
    private static readonly string[] Words = ["can't allocate memory", "out of memory", "bad_alloc"];

    public static (string Message, string? Detail) Describe(Exception error) => error switch
    {
        StageException or ArtifactException => (error.Message, null),
        IOException full when Disk.IsFull(full) => ($"the disk is full: {full.Message}", full.ToString()),
        StageFailedException failed => (failed.Message, failed.Detail),
        OutOfMemoryException or ExternalException when IsMemory(error) =>
            ($"the stage ran out of memory: {error.Message}", error.ToString()),
        AggregateException { InnerExceptions: [var only] } => Describe(only),
        _ => ($"{error.GetType().Name}: {error.Message}", error.ToString()),
    };

    /// <summary>LibTorch has only words for it.</summary>
    private static bool IsMemory(Exception error) =>
        error is OutOfMemoryException
        || Words.Any(words => error.Message.Contains(words, StringComparison.OrdinalIgnoreCase));
}
