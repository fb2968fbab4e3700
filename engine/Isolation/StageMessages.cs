using System.Text.Json;
using System.Text.Json.Serialization;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Engine.Isolation;

/// <summary>What a worker tells the process of a stage: a line of JSON on its standard input.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "say")]
[JsonDerivedType(typeof(StageRequest), "run")]
[JsonDerivedType(typeof(StopStage), "stop")]
[JsonDerivedType(typeof(WriteCheckpoint), "write-checkpoint")]
[JsonDerivedType(typeof(CheckpointKept), "checkpoint-kept")]
internal abstract record ToStage;

/// <summary>The first line: the stage, and all that its context is made of.</summary>
/// <param name="Data">The folder that the artifacts lie in, or copies of them.</param>
/// <param name="Artifacts">Where they are when they lie elsewhere.</param>
/// <param name="Checkpoint">What to go on from.</param>
/// <param name="Interval">Between checkpoints, in place of what the stage asks for.</param>
internal sealed record StageRequest(
    Guid Run,
    string Stage,
    int Attempt,
    string Kind,
    int Version,
    JsonElement Inputs,
    JsonElement Parameters,
    string Device,
    string Data,
    ArtifactServer? Artifacts,
    string Scratch,
    StageCheckpoint? Checkpoint,
    TimeSpan? Interval) : ToStage;

internal sealed record StopStage : ToStage;

/// <summary>The answer to <see cref="CheckpointOffered"/>.</summary>
internal sealed record WriteCheckpoint(string Folder) : ToStage;

/// <summary>The answer to <see cref="CheckpointWritten"/>.</summary>
/// <param name="Error">Why it could not be kept; null when all is well.</param>
internal sealed record CheckpointKept(string? Error) : ToStage;

/// <summary>What the process of a stage tells its worker: a line of JSON on its standard output.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "say")]
[JsonDerivedType(typeof(StageReported), "progress")]
[JsonDerivedType(typeof(StageLogged), "log")]
[JsonDerivedType(typeof(CheckpointOffered), "checkpoint")]
[JsonDerivedType(typeof(CheckpointWritten), "checkpoint-written")]
[JsonDerivedType(typeof(StageDone), "done")]
[JsonDerivedType(typeof(StageFailed), "failed")]
[JsonDerivedType(typeof(StageStopped), "stopped")]
internal abstract record FromStage;

internal sealed record StageReported(StageProgress Progress) : FromStage;

internal sealed record StageLogged(string Text) : FromStage;

/// <summary>The stage has a checkpoint to save, and waits for the folder to write it into.</summary>
internal sealed record CheckpointOffered(long Steps) : FromStage;

/// <param name="Whole">False when the writing failed.</param>
internal sealed record CheckpointWritten(bool Whole) : FromStage;

/// <summary>The last line of a stage that succeeded.</summary>
internal sealed record StageDone(JsonElement Outputs) : FromStage;

/// <summary>The last line of a stage that failed; see <see cref="StageFailure"/>.</summary>
internal sealed record StageFailed(string Message, string? Detail) : FromStage;

/// <summary>The last line of a stage that was told to stop and did.</summary>
internal sealed record StageStopped : FromStage;
