using System.Text.Json;

namespace Pipelines.Workflows.Planning;

/// <summary>What an id stands for in a scope: something with outputs.</summary>
internal abstract class Node
{
    private readonly HashSet<string> asked = [];

    /// <summary>As messages call it.</summary>
    public abstract string Title { get; }

    /// <summary>Null when they are not known, which was said.</summary>
    public abstract IReadOnlyCollection<string>? Ports { get; }

    /// <param name="port">One of <see cref="Ports"/>.</param>
    /// <returns>Null when it is at fault, which was said, or comes from itself.</returns>
    public Resolved? Output(string port)
    {
        if (!asked.Add(port))
            return null;
        try
        {
            return Find(port);
        }
        finally
        {
            asked.Remove(port);
        }
    }

    protected abstract Resolved? Find(string port);
}

/// <summary>One activity, as it will run.</summary>
internal sealed class ActivityNode(string id, string kind, CatalogEntry? entry) : Node
{
    public override string Title => kind;

    public override IReadOnlyCollection<string>? Ports => entry?.Outputs.Select(output => output.Name).ToList();

    protected override Resolved? Find(string port) => new(
        entry!.Outputs.First(output => output.Name == port).Type,
        Schemas.Member(Json.Write(entry.Results), port),
        PlannedInput.One(new OutputName(id, port)));
}

/// <summary>A group or a nested workflow: its outputs are those of its stages.</summary>
internal sealed class GroupNode(
    string title, string stage, IReadOnlyDictionary<string, Sources> outputs, Scope scope, Resolver resolver) : Node
{
    public override string Title => title;

    public override IReadOnlyCollection<string> Ports => [.. outputs.Keys];

    protected override Resolved? Find(string port) =>
        resolver.Join(outputs[port], scope, stage, $"output '{port}'", asList: false);
}

/// <summary>A stage for each of many values: each output is the list of theirs.</summary>
internal sealed class MatrixNode(IReadOnlyList<(Node Node, IReadOnlyDictionary<string, JsonElement> Values)> branches) : Node
{
    public override string Title => branches[0].Node.Title;

    public override IReadOnlyCollection<string>? Ports => branches[0].Node.Ports;

    protected override Resolved? Find(string port)
    {
        var items = new List<PlannedSource>();
        Resolved? any = null;
        foreach (var (node, values) in branches)
        {
            if (node.Output(port) is not { } resolved)
                return null;
            any = resolved;
            items.AddRange(resolved.Input.Items.Select(item => item with { Variables = Marked(values, item.Variables) }));
        }

        return any! with { Input = new PlannedInput(true, items) };
    }

    private static Dictionary<string, JsonElement> Marked(
        IReadOnlyDictionary<string, JsonElement> outer, IReadOnlyDictionary<string, JsonElement> inner)
    {
        var marked = outer.ToDictionary();
        foreach (var (name, value) in inner)
            marked[name] = value;
        return marked;
    }
}

/// <summary>A stage round after round: each output is that of the last round that ran.</summary>
internal sealed class RepeatNode(IReadOnlyList<Node> rounds) : Node
{
    public override string Title => rounds[0].Title;

    public override IReadOnlyCollection<string>? Ports => rounds[0].Ports;

    protected override Resolved? Find(string port)
    {
        var found = new List<OutputName>();
        Resolved? any = null;
        foreach (var round in rounds.Reverse())
        {
            if (round.Output(port) is not { } resolved)
                return null;
            // Lists cannot stand for each other item by item: the last round's is taken as it is.
            if (resolved.Input.IsList)
                return resolved;
            any = resolved;
            found.AddRange(resolved.Input.Items[0].FirstOf);
        }

        return any! with { Input = PlannedInput.One([.. found.Distinct()]) };
    }
}
