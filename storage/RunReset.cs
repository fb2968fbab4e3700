using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>What of a run is to be run again. Without anything said: whatever did not succeed.</summary>
/// <param name="From">This stage and all that it feeds as well, although they succeeded; null for none.</param>
/// <param name="Only">Of those only the stage itself: what it feeds keeps the results of before.</param>
/// <param name="Again">Stages whose results turned out to be gone.</param>
/// <param name="Changed">Stages as they are planned with new values.</param>
/// <param name="Values">The workflow's parameters that they come from.</param>
internal sealed record ResetRequest(
    string? From = null,
    bool Only = false,
    IReadOnlyCollection<string>? Again = null,
    IReadOnlyDictionary<string, PlannedStage>? Changed = null,
    IReadOnlyDictionary<string, JsonElement>? Values = null);

/// <summary>What running a run again does, stage by stage, in the order of the plan.</summary>
/// <param name="WillRun">The stages that run (again).</param>
/// <param name="Kept">The stages whose results stand.</param>
/// <param name="ThrownAway">Those that will run although they have a result: it is let go.</param>
/// <param name="GoesOn">Those that go on from a checkpoint, and its step.</param>
public sealed record ResetSummary(
    IReadOnlyList<string> WillRun,
    IReadOnlyList<string> Kept,
    IReadOnlyList<string> ThrownAway,
    IReadOnlyDictionary<string, long> GoesOn);

/// <summary>A stage as far as running it again is concerned.</summary>
/// <param name="Step">Of its checkpoint; null for none.</param>
internal sealed record ResetStage(
    string Id, StageState State, IReadOnlyList<string> Feeds, long? Step, IReadOnlyList<PlannedTurn> Turns, IReadOnlyCollection<string> Held)
{
    /// <summary>Whether what it feeds need not wait for it.</summary>
    public bool IsDone => State is StageState.Succeeded or StageState.Skipped;

    public bool IsOpen => State is StageState.Waiting or StageState.Ready or StageState.Running;
}

/// <summary>A stage that runs again.</summary>
/// <param name="Feeders">Those that must succeed before it, and the branches that it waits for the turn of.</param>
/// <param name="Fresh">Whether it is computed although its result is stored: that was asked for.</param>
/// <param name="Held">The branches.</param>
internal sealed record ResetRow(
    string Id, int Feeders, bool Fresh, IReadOnlyList<string> Held, JsonElement? Parameters,
    IReadOnlyDictionary<string, PlannedInput>? Inputs, PlannedGate? Conditions, IReadOnlyDictionary<string, JsonElement>? Variables);

/// <summary>The one rule for resuming a run and for running it again from a stage.</summary>
internal static class RunReset
{
    /// <exception cref="RunStateException">There is no such stage, a stage of those runs now, or nothing is left to run.</exception>
    public static (ResetSummary Summary, IReadOnlyList<ResetRow> Rows) Of(IReadOnlyList<ResetStage> stages, ResetRequest request)
    {
        var reset = Selection(stages, request);
        if (stages.FirstOrDefault(stage => stage.State == StageState.Running && reset.Contains(stage.Id)) is { } running)
            throw new RunStateException($"stage '{running.Id}' is running: wait for it, or cancel the run");
        if (request.Changed?.Keys.FirstOrDefault(changed => !reset.Contains(changed)) is { } kept)
            throw new RunStateException($"the new values change stage '{kept}', which would keep its result: run again from it");

        var unfinished = stages.Where(stage => reset.Contains(stage.Id) || !stage.IsDone)
            .SelectMany(stage => stage.Feeds).CountBy(fed => fed).ToDictionary();
        var held = reset.Count == 0
            ? new Dictionary<string, IReadOnlyList<string>>()
            : StageTurns.Hold([.. stages.Select(stage => new TurnStage(stage.Id, stage.IsOpen, stage.Turns, stage.Held))], reset);
        var chosen = stages.Where(stage => reset.Contains(stage.Id)).ToList();
        return (
            new ResetSummary(
                [.. stages.Where(stage => reset.Contains(stage.Id) || !stage.IsDone).Select(stage => stage.Id)],
                [.. stages.Where(stage => stage.State == StageState.Succeeded && !reset.Contains(stage.Id)).Select(stage => stage.Id)],
                [.. chosen.Where(stage => stage.State == StageState.Succeeded).Select(stage => stage.Id)],
                chosen.Where(stage => stage.Step is not null && !Anew(stage, request)).ToDictionary(stage => stage.Id, stage => stage.Step!.Value)),
            [
                .. chosen.Select(stage => Row(
                    stage.Id, unfinished.GetValueOrDefault(stage.Id), IsFrom(stage.Id, request), held[stage.Id],
                    request.Changed?.GetValueOrDefault(stage.Id))),
            ]);
    }

    private static ResetRow Row(string id, int feeders, bool fresh, IReadOnlyList<string> held, PlannedStage? changed) => new(
        id, feeders + held.Count, fresh, held, changed?.Parameters, changed?.Inputs, changed?.Gate, changed?.Variables);

    /// <summary>Whether running again from <see cref="ResetRequest.From"/> begins here: it is that stage, or one of that group or matrix.</summary>
    private static bool IsFrom(string stage, ResetRequest request) =>
        request.From is { } from && (stage == from || stage.StartsWith(from + ".", StringComparison.Ordinal));

    /// <summary>Whether it begins at its beginning: a retry goes on from the checkpoint, running again does not.</summary>
    public static bool Anew(ResetStage stage, ResetRequest request) => stage.State == StageState.Succeeded || IsFrom(stage.Id, request);

    private static HashSet<string> Selection(IReadOnlyList<ResetStage> stages, ResetRequest request)
    {
        // What is waiting, ready or running goes on by itself.
        var reset = stages.Where(stage => stage.State is StageState.Failed or StageState.Cancelled or StageState.Blocked)
            .Select(stage => stage.Id).Concat(request.Again ?? []).ToHashSet();
        if (request.From is not { } from)
            return reset;
        var named = stages.Where(stage => IsFrom(stage.Id, request)).Select(stage => stage.Id).ToList();
        if (named.Count == 0)
            throw new RunStateException($"the run has no stage '{from}'{Suggestion.For(from, [.. stages.Select(stage => stage.Id)])}");
        reset.UnionWith(named);
        if (request.Only)
            return reset;

        // Feeders come first in the plan, so one pass reaches everything below.
        var below = named.ToHashSet();
        foreach (var stage in stages.Where(stage => below.Contains(stage.Id)))
            below.UnionWith(stage.Feeds);
        reset.UnionWith(below);
        return reset;
    }
}
