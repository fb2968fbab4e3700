using System.Text.RegularExpressions;

namespace Pipelines.Workflows.Planning;

/// <summary>What can be seen of a stage by itself.</summary>
internal static partial class StageSettings
{
    public static void Check(StageDefinition stage, string path, Faults faults)
    {
        if (!Identifier().IsMatch(stage.Id))
            Fault("an id is a letter followed by letters, digits, '-' and '_', 64 at most");
        if (stage.Id == Resolver.Inputs)
            Fault("'inputs' is the word for what a group takes: choose another id");
        var bodies = new[] { stage.Kind is not null, stage.Stages is not null, stage.Workflow is not null }.Count(is_ => is_);
        if (bodies != 1)
            Fault($"it has {(bodies == 0 ? "neither" : "more than one of")} kind, stages {(bodies == 0 ? "nor" : "and")} workflow: expected one");
        if (stage.Matrix is not null && stage.Repeat is not null)
            Fault("it has a matrix and is repeated: put one into a group that has the other");
        if (stage.Stages is { Count: 0 })
            Fault("the group has no stages");
        if (stage.Outputs is not null && stage.Stages is null)
            Fault("outputs are for groups: what else has some, has them by its kind");
        if (stage.Kind is null)
            CheckGroup(stage, Fault);
        if (stage.Resources is { Gpu: < 0 or > 1 } resources)
            Fault($"resources.gpu is {resources.Gpu}: expected 0 or 1");
        if (stage.Retry is { } retry)
            CheckRetry(retry, Fault);
        if (stage.Timeout is not (null or (> 0 and < 1e9)))
            Fault($"timeout is {stage.Timeout}: expected seconds, more than 0");

        void Fault(string message) => faults.Add(path, message);
    }

    private static void CheckGroup(StageDefinition stage, Action<string> fault)
    {
        var only = new (string Name, bool Given)[]
        {
            ("resources", stage.Resources is not null), ("retry", stage.Retry is not null), ("timeout", stage.Timeout is not null),
            ("isolation", stage.Isolation is not null), ("cache", stage.Cache is not null),
            ("parameters", stage.Stages is not null && stage.Parameters is not null),
        };
        foreach (var (name, _) in only.Where(setting => setting.Given))
            fault($"{name} is for a stage that has a kind: give it to the stages inside");
    }

    private static void CheckRetry(RetryDefinition retry, Action<string> fault)
    {
        if (retry.Attempts is < 1 or > 100)
            fault($"retry.attempts is {retry.Attempts}: expected 1 to 100");
        if (retry.Backoff is not (>= 0 and <= 600))
            fault($"retry.backoff is {retry.Backoff}: expected 0 to 600 seconds");
        if (retry.Crashes is < 1 or > 1000)
            fault($"retry.crashes is {retry.Crashes}: expected 1 to 1000");
    }

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
    private static partial Regex Identifier();
}
