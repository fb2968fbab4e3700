using System.Text.Json;
using System.Text.Json.Serialization;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>A workflow that is edited on the server, for a list.</summary>
/// <param name="Revision">Grows with every save.</param>
/// <param name="Published">The last version; null when none was published.</param>
/// <param name="Changed">Whether the draft was saved since it was published.</param>
public sealed record DefinitionSummary(
    string Name, string? Description, int Revision, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? Published, bool Changed,
    DateTimeOffset Updated, string? UpdatedBy);

/// <param name="Definition">The draft as it was saved, right or wrong.</param>
/// <param name="Versions">The newest first.</param>
public sealed record DefinitionView(
    string Name, JsonElement Definition, int Revision, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? Published,
    IReadOnlyList<VersionSummary> Versions);

public sealed record VersionSummary(int Version, DateTimeOffset At, string? By);

/// <summary>A published version: it never changes.</summary>
public sealed record VersionView(string Name, int Version, JsonElement Definition, DateTimeOffset At, string? By);

public enum DefinitionFault
{
    Unknown,

    /// <summary>Somebody else saved it meanwhile.</summary>
    Changed,

    /// <summary>The name or the document is none, or has faults that keep it from being published.</summary>
    Invalid,
    TooLarge,

    /// <summary>Something that would miss it refers to it.</summary>
    InUse,
}

/// <summary>What was asked of a definition and is refused. The message says why.</summary>
public sealed class DefinitionException(DefinitionFault fault, string message) : Exception(message)
{
    public DefinitionFault Fault => fault;

    /// <summary>How it stands, when somebody else saved it.</summary>
    public DefinitionView? Current { get; init; }

    /// <summary>What keeps it from being published.</summary>
    public IReadOnlyList<WorkflowError> Errors { get; init; } = [];
}
