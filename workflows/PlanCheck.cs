using System.Text.Json;
using System.Text.RegularExpressions;

namespace Pipelines.Workflows;

/// <summary>One check of a whole definition. Collects faults instead of stopping at the first.</summary>
internal sealed partial class PlanCheck(
    WorkflowDefinition definition, Catalog catalog, IReadOnlyDictionary<string, JsonElement> values)
{
    private readonly List<WorkflowError> errors = [];

    public (Plan Plan, IReadOnlyList<WorkflowError> Errors) Run()
    {
        if (Holes().ToArray() is { Length: > 0 } holes)
        {
            foreach (var hole in holes)
                Fault(null, $"{hole} is null");
            return (new Plan(definition, new Dictionary<string, JsonElement>(), []), errors);
        }

        // Results go to a folder that is called after the workflow.
        if (string.IsNullOrWhiteSpace(definition.Name) || definition.Name.AsSpan().ContainsAny("/\\\0"))
            Fault(null, $"the name is '{definition.Name}': expected a text without slashes");
        if (definition.Stages.Count == 0)
            Fault(null, "the workflow has no stages");
        foreach (var group in definition.Stages.GroupBy(stage => stage.Id).Where(group => group.Count() > 1))
            Fault(group.Key, $"{group.Count()} stages have this id");

        var parameters = new ParameterValues(definition, values, errors);
        var planned = new List<PlannedStage>();
        foreach (var stage in definition.Stages.DistinctBy(stage => stage.Id))
        {
            if (PlanStage(stage, parameters) is { } one)
                planned.Add(one);
        }

        foreach (var (name, output) in definition.Outputs ?? new Dictionary<string, string>())
            FindOutput(null, $"output '{name}'", output);

        if (errors.Count == 0)
            planned = Order(planned);
        return (new Plan(definition, parameters.Values, planned), errors);
    }

    /// <summary>Nulls inside of lists, which the types do not admit but JSON can say.</summary>
    private IEnumerable<string> Holes()
    {
        foreach (var (stage, index) in definition.Stages.Select((stage, index) => (stage, index)))
        {
            if (stage is null)
                yield return $"stages[{index}]";
            foreach (var name in Nulls(stage?.Inputs))
                yield return $"{stage!.Id}: input '{name}'";
        }

        foreach (var name in Nulls(definition.Parameters))
            yield return $"parameter '{name}'";
        foreach (var name in Nulls(definition.Outputs))
            yield return $"output '{name}'";

        static IEnumerable<string> Nulls<T>(IReadOnlyDictionary<string, T>? members) =>
            (members ?? new Dictionary<string, T>()).Where(member => member.Value is null).Select(member => member.Key);
    }

    private PlannedStage? PlanStage(StageDefinition stage, ParameterValues parameters)
    {
        if (!Identifier().IsMatch(stage.Id))
            Fault(stage.Id, "an id is a letter followed by letters, digits, '-' and '_', 64 at most");
        if (stage.Resources is { Gpu: < 0 or > 1 } resources)
            Fault(stage.Id, $"resources.gpu is {resources.Gpu}: expected 0 or 1");
        var retry = stage.Retry ?? new RetryDefinition();
        if (retry.Attempts is < 1 or > 100)
            Fault(stage.Id, $"retry.attempts is {retry.Attempts}: expected 1 to 100");
        if (retry.Backoff is not (>= 0 and <= 600))
            Fault(stage.Id, $"retry.backoff is {retry.Backoff}: expected 0 to 600 seconds");
        if (retry.Crashes is < 1 or > 1000)
            Fault(stage.Id, $"retry.crashes is {retry.Crashes}: expected 1 to 1000");
        if (stage.Timeout is not (null or (> 0 and < 1e9)))
            Fault(stage.Id, $"timeout is {stage.Timeout}: expected seconds, more than 0");
        if (catalog.Find(stage.Kind) is not { } entry)
        {
            Fault(stage.Id, $"no activity of kind '{stage.Kind}'"
                + Suggestion.For(stage.Kind, [.. catalog.Entries.Select(known => known.Kind)]));
            return null;
        }

        var filled = parameters.Fill(stage);
        var complete = filled;
        if (filled is { } json)
        {
            var check = entry.Check(json);
            foreach (var error in check.Errors)
                Fault(stage.Id, error);
            complete = check.Complete;
        }

        return new PlannedStage(
            stage.Id, entry.Kind, entry.Version, complete ?? default, Inputs(stage, entry),
            stage.Resources?.Gpu ?? 0, retry, stage.Timeout, stage.Isolation, stage.Cache);
    }

    private Dictionary<string, OutputName> Inputs(StageDefinition stage, CatalogEntry entry)
    {
        var edges = stage.Inputs ?? new Dictionary<string, string>();
        var joined = new Dictionary<string, OutputName>();
        foreach (var (name, source) in edges)
        {
            var port = entry.Inputs.FirstOrDefault(input => input.Name == name);
            if (port is null)
            {
                Fault(stage.Id, $"{entry.Kind} has no input '{name}'"
                    + Suggestion.For(name, [.. entry.Inputs.Select(input => input.Name)]));
                continue;
            }

            if (FindOutput(stage.Id, $"input '{name}'", source) is not { } found)
                continue;
            if (found.Port.Type != port.Type)
                Fault(stage.Id, $"input '{name}' takes a {port.Type}, but {source} is a {found.Port.Type}");
            joined[name] = found.Name;
        }

        foreach (var port in entry.Inputs.Where(port => !port.Optional && !edges.ContainsKey(port.Name)))
            Fault(stage.Id, $"input '{port.Name}' ({port.Type}) is not connected");
        return joined;
    }

    private (OutputName Name, Port Port)? FindOutput(string? stage, string what, string source)
    {
        if (OutputName.Parse(source) is not { } name)
        {
            Fault(stage, $"{what} is '{source}': expected stage.port");
            return null;
        }

        if (definition.Stages.FirstOrDefault(other => other.Id == name.Stage) is not { } feeder)
        {
            Fault(stage, $"{what} comes from '{source}', but there is no stage '{name.Stage}'"
                + Suggestion.For(name.Stage, [.. definition.Stages.Select(other => other.Id)]));
            return null;
        }

        if (catalog.Find(feeder.Kind) is not { } entry)
            return null; // said where that stage is checked
        if (entry.Outputs.FirstOrDefault(output => output.Name == name.Port) is { } port)
            return (name, port);
        Fault(stage, $"{what} comes from '{source}', but {entry.Kind} has no output '{name.Port}'"
            + Suggestion.For(name.Port, [.. entry.Outputs.Select(output => output.Name)]));
        return null;
    }

    /// <summary>Feeders first, else in the order of the document; what cannot be ordered is on a cycle.</summary>
    private List<PlannedStage> Order(List<PlannedStage> stages)
    {
        var waiting = stages.ToDictionary(stage => stage.Id, stage => stage.Feeders.Count());
        var fed = stages
            .SelectMany(stage => stage.Feeders.Select(feeder => (feeder, stage)))
            .ToLookup(edge => edge.feeder, edge => edge.stage);
        var ready = new Queue<PlannedStage>(stages.Where(stage => waiting[stage.Id] == 0));
        var ordered = new List<PlannedStage>(stages.Count);
        while (ready.TryDequeue(out var stage))
        {
            ordered.Add(stage);
            foreach (var next in fed[stage.Id].Where(next => --waiting[next.Id] == 0))
                ready.Enqueue(next);
        }

        if (ordered.Count < stages.Count)
            Fault(null, $"the stages feed each other in a circle: {string.Join(" → ", Cycle(stages, waiting))}");
        return ordered;
    }

    private static List<string> Cycle(List<PlannedStage> stages, Dictionary<string, int> waiting)
    {
        var blocked = stages.Where(stage => waiting[stage.Id] > 0).ToDictionary(stage => stage.Id);
        var path = new List<string>();
        var at = blocked.Keys.First();
        while (!path.Contains(at))
        {
            path.Add(at);
            at = blocked[at].Feeders.First(blocked.ContainsKey);
        }

        path.Add(at);
        path.RemoveRange(0, path.IndexOf(at));
        path.Reverse(); // from feeder to fed
        return path;
    }

    private void Fault(string? stage, string message) => errors.Add(new WorkflowError(stage, message));

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
    private static partial Regex Identifier();
}
