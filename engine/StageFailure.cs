using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>What a stage's exception tells its user, and what it tells whoever mends the activity.</summary>
internal static class StageFailure
{
    public static (string Message, string? Detail) Describe(Exception error) => error switch
    {
        StageException or ArtifactException => (error.Message, null),
        IOException full when Disk.IsFull(full) => ($"the disk is full: {full.Message}", full.ToString()),
        AggregateException { InnerExceptions: [var only] } => Describe(only),
        _ => ($"{error.GetType().Name}: {error.Message}", error.ToString()),
    };
}
