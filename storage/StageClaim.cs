using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>A stage that a worker has taken: what it is to run, and the fence that its writes must name.</summary>
/// <param name="Inputs">Port to value, gathered from the outputs of the feeders.</param>
/// <param name="Anew">Why a stored result may not stand for this stage, when it may for others of the run.</param>
/// <param name="Timeout">Seconds that the attempt may take.</param>
/// <param name="Bounded">Whether it is in a branch of a bounded fan-out.</param>
/// <param name="Serves">The groups that the slot claims from.</param>
/// <param name="Device">PyTorch's name of what it is to run on.</param>
internal sealed record StageClaim(
    Guid Run,
    string Stage,
    int Attempt,
    string Kind,
    int Version,
    string Group,
    JsonElement Parameters,
    JsonElement Inputs,
    bool UseCache,
    string? Anew,
    double? Timeout,
    Isolation Isolation,
    bool Bounded,
    IReadOnlyList<string> Serves,
    string Device)
{
    public StageKey Key => new(Run, Stage, Attempt);
}

/// <summary>One attempt of one stage; the attempt is the fence, and grows with every claim.</summary>
internal sealed record StageKey(Guid Run, string Stage, int Attempt);
