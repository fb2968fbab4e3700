namespace Pipelines.Workflows.Planning;

/// <summary>Finds what <c>stage.port</c> stands for, from where it is written.</summary>
internal sealed class Resolver(Faults faults)
{
    /// <summary>The word for a group's own inputs.</summary>
    public const string Inputs = "inputs";

    /// <param name="what">As in "input 'model'".</param>
    /// <param name="asList">Whether several make a list, instead of standing for each other.</param>
    /// <returns>Null when something is at fault, which was said.</returns>
    public Resolved? Join(Sources sources, Scope scope, string? stage, string what, bool asList)
    {
        if (sources.Names.Count == 0)
            return Fault(stage, $"{what} is an empty list: expected stage.port");
        var found = sources.Names.Select(source => Find(source, scope, stage, what)).ToList();
        if (found.Contains(null))
            return faults.Found.Count == 0 ? Fault(stage, $"{what} comes from itself") : null;
        var first = found[0]!;
        if (found.Count == 1)
            return first;
        for (var i = 1; i < found.Count; i++)
        {
            if (found[i]!.Type != first.Type)
            {
                return Fault(stage,
                    $"{what}: {sources.Names[0]} is a {first.Written}, but {sources.Names[i]} is a {found[i]!.Written}");
            }
        }

        var items = found.SelectMany(one => one!.Input.Items).ToList();
        return first with
        {
            Input = asList || found.Exists(one => one!.Input.IsList)
                ? new PlannedInput(true, items)
                : PlannedInput.One([.. items.SelectMany(item => item.FirstOf).Distinct()]),
        };
    }

    /// <param name="source"><c>stage.port</c>.</param>
    /// <inheritdoc cref="Join"/>
    public Resolved? Find(string source, Scope scope, string? stage, string what)
    {
        if (OutputName.Parse(source) is not { } name)
            return Fault(stage, $"{what} is '{source}': expected stage.port");
        if (name.Stage == Inputs)
            return FindInput(name.Port, source, scope, stage, what);
        if (scope.Find(name.Stage) is not { } node)
        {
            return Fault(stage, $"{what} comes from '{source}', but there is no stage '{name.Stage}'"
                + Suggestion.For(name.Stage, [.. scope.Known]));
        }

        if (node.Ports is not { } ports)
            return null; // said where that stage is checked
        if (!ports.Contains(name.Port))
        {
            return Fault(stage, $"{what} comes from '{source}', but {node.Title} has no output '{name.Port}'"
                + Suggestion.For(name.Port, ports));
        }

        return node.Output(name.Port);
    }

    private Resolved? FindInput(string port, string source, Scope scope, string? stage, string what)
    {
        if (scope.FindInputs() is not { } inputs)
            return Fault(stage, $"{what} comes from '{source}', but there is no group around it that has inputs");
        return inputs.Names.Contains(port)
            ? inputs.Find(port)
            : Fault(stage, $"{what} comes from '{source}', but there is no input '{port}'{Suggestion.For(port, inputs.Names)}");
    }

    private Resolved? Fault(string? stage, string message)
    {
        faults.Add(stage, message);
        return null;
    }
}
