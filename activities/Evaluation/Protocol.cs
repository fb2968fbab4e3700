namespace Pipelines.Activities.Evaluation;

/// <summary>Parts of a protocol's name.</summary>
internal static class Protocol
{
    /// <summary>The first digits of a hash, without the name of the function: enough to tell two apart.</summary>
    public static string Short(string hash) => hash[(hash.IndexOf(':', StringComparison.Ordinal) + 1)..][..12];
}
