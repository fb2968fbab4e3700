using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace Pipelines.Workflows;

/// <summary>The workflow document: a graph of stages, readable and diffable.</summary>
/// <param name="Inputs">What it takes when it is a stage of another workflow, by name: <c>"model": "checkpoint"</c> (the type).</param>
/// <param name="Outputs">What the workflow is for, by name: <c>"checkpoint": "export.checkpoint"</c> (stage.port).</param>
/// <param name="Layout">Where the designer drew each stage; kept as it is.</param>
/// <param name="Elsa">What an Elsa workflow has that this document has no place for; kept as it is.</param>
public sealed record WorkflowDefinition(
    string Name,
    IReadOnlyList<StageDefinition> Stages,
    string? Description = null,
    IReadOnlyDictionary<string, ParameterDefinition>? Parameters = null,
    IReadOnlyDictionary<string, string>? Inputs = null,
    IReadOnlyDictionary<string, Sources>? Outputs = null,
    JsonElement? Layout = null,
    IReadOnlyList<NoteDefinition>? Notes = null,
    JsonElement? Elsa = null);

/// <summary>A note on the canvas.</summary>
public sealed record NoteDefinition(string Text, double X, double Y, double Width = 240, double Height = 120, string? Colour = null);

/// <summary>
/// A stage: an activity (<paramref name="Kind"/>), a group (<paramref name="Stages"/>) or another workflow
/// (<paramref name="Workflow"/>); once, or for each of many values, or round after round.
/// </summary>
/// <param name="Inputs">Port to what feeds it: <c>"model": "load.model"</c> (stage.port).</param>
/// <param name="Timeout">Seconds that an attempt may take; none when absent. Whether its worker lives is another matter.</param>
/// <param name="Cache">Whether a stored result may stand for computing it; it may unless this says no.</param>
/// <param name="When">What must hold for it to run: <c>evaluate.measurement.perplexity &lt; 30</c>.</param>
/// <param name="Stages">Those of a group; they see what lies around the group, and <c>inputs.NAME</c>.</param>
/// <param name="Outputs">What of a group others may use, by name.</param>
public sealed record StageDefinition(
    string Id,
    string? Kind = null,
    JsonElement? Parameters = null,
    IReadOnlyDictionary<string, Sources>? Inputs = null,
    ResourceDefinition? Resources = null,
    RetryDefinition? Retry = null,
    double? Timeout = null,
    string? Description = null,
    Isolation? Isolation = null,
    bool? Cache = null,
    string? When = null,
    MatrixDefinition? Matrix = null,
    RepeatDefinition? Repeat = null,
    IReadOnlyList<StageDefinition>? Stages = null,
    IReadOnlyDictionary<string, Sources>? Outputs = null,
    NestedWorkflow? Workflow = null,
    JsonElement? Elsa = null);

/// <summary>The stage once for each combination of values; its outputs become lists.</summary>
/// <param name="Values">By name a list, or <c>${parameter}</c> that is one; used as <c>${name}</c>.</param>
/// <param name="Parallel">How many combinations may be under way at once: a number, or an expression; all when absent.</param>
public sealed record MatrixDefinition(IReadOnlyDictionary<string, JsonElement> Values, JsonElement? Parallel = null);

/// <summary>
/// The stage again and again: each round takes the outputs of the one before as its inputs of the same name. Its outputs
/// are those of the last round that ran. <c>${round}</c> counts from 1.
/// </summary>
/// <param name="Times">The most rounds: a number, or an expression as <c>${rounds}</c>.</param>
/// <param name="Until">Asked after each round; when it holds, the rest is skipped.</param>
public sealed record RepeatDefinition(JsonElement Times, string? Until = null);

/// <summary>What a stage shares with the others of its worker.</summary>
public enum Isolation
{
    /// <summary>It has a thread of its own in the worker's process, whose loaded models it shares.</summary>
    None,

    /// <summary>It has a process of its own: what kills it, kills nothing else, and it can be stopped by force.</summary>
    Process,
}

/// <summary>A parameter of the workflow, set by <c>--set name=value</c> and used as <c>${name}</c>.</summary>
/// <param name="Default">Without one the parameter must be set.</param>
public sealed record ParameterDefinition(ParameterType Type, JsonElement? Default = null, string? Description = null);

/// <summary>What a parameter's value must be. A path on the command line is taken relative to the current folder.</summary>
public enum ParameterType
{
    Text,
    Path,
    Number,
    Integer,
    Boolean,

    /// <summary>Values for a matrix: on the command line <c>0.3,0.5</c>.</summary>
    List,
}

/// <param name="Gpu">GPUs that the stage needs: 0 or 1.</param>
public sealed record ResourceDefinition([property: Range(0, 1)] int Gpu = 0);

/// <param name="Attempts">How often the stage may fail, the last time for good.</param>
/// <param name="Backoff">Seconds before the second attempt; doubled before each further one, to ten minutes at most.</param>
/// <param name="Crashes">
/// How many workers, or processes of its own, may die of it in a row, the last time for good; one that left a checkpoint further
/// on begins the count anew.
/// </param>
public sealed record RetryDefinition(
    [property: Range(1, 100)] int Attempts = 1,
    [property: Range(0.0, 600.0)] double Backoff = 1,
    [property: Range(1, 1000)] int Crashes = 3);

/// <summary>A fault of a workflow, found before anything runs. <paramref name="Stage"/> is null for the document itself.</summary>
public sealed record WorkflowError(string? Stage, string Message)
{
    public override string ToString() => Stage is null ? Message : $"{Stage}: {Message}";
}
