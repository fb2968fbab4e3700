namespace Pipelines.Workflows;

/// <summary>
/// One kind of stage. <typeparamref name="TInputs"/> and <typeparamref name="TOutputs"/> are the ports: positional records
/// whose property names and types are the ports' names and types. <typeparamref name="TParameters"/> is the form:
/// a positional record whose names, defaults, <c>[Range]</c> and <c>[Description]</c> become its JSON schema.
/// Only names of things cross an edge (artifacts by hash, numbers, short text), so any worker can run any stage.
/// </summary>
public abstract class Activity<TInputs, TParameters, TOutputs>
    where TInputs : class
    where TParameters : class
    where TOutputs : class
{
    /// <summary>Stored for ever and never renamed: <c>prune.wanda</c>. The part before the first dot is the family.</summary>
    public abstract string Kind { get; }

    /// <summary>Raised when the same inputs and parameters would give another result; part of the cache key.</summary>
    public virtual int Version => 1;

    /// <summary>
    /// The state of what the stage reads beside its inputs (files that a parameter names), as a short text that changes
    /// when they change; part of the cache key. Null when it reads nothing else.
    /// </summary>
    public virtual string? Source(TParameters parameters) => null;

    public abstract Task<TOutputs> RunAsync(
        TInputs inputs, TParameters parameters, StageContext stage, CancellationToken cancellation);
}

/// <summary>For an activity without ports on one side.</summary>
public sealed record None;
