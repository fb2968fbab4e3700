using System.Collections.Immutable;
using System.Text.Json;

namespace Pipelines.Workflows.Planning;

/// <summary>What names mean at one place of a document: its variables, the stages beside it, and those around it.</summary>
internal sealed record Scope(Scope? Around, Variables Variables)
{
    private readonly Dictionary<string, Node> nodes = [];

    /// <summary>Before the ids of its stages, as they run: <c>sweep.2.</c></summary>
    public string Prefix { get; init; } = "";

    /// <summary>Before the ids of its stages, as the document has them: <c>sweep.</c></summary>
    public string Path { get; init; } = "";

    /// <summary>What <c>inputs.NAME</c> means; null where there is no such thing.</summary>
    public IInputs? Inputs { get; init; }

    /// <summary>What must hold for everything in it to run.</summary>
    public ImmutableList<Condition> Conditions { get; init; } = [];

    public ImmutableList<PlannedTurn> Turns { get; init; } = [];

    /// <summary>The values that tell its stages from those of other branches.</summary>
    public ImmutableSortedDictionary<string, JsonElement> Marks { get; init; } = ImmutableSortedDictionary<string, JsonElement>.Empty;

    public IEnumerable<string> Known => nodes.Keys.Concat(Around?.Known ?? []);

    public void Add(string id, Node node) => nodes.TryAdd(id, node);

    public Node? Find(string id) => nodes.GetValueOrDefault(id) ?? Around?.Find(id);

    public IInputs? FindInputs() => Inputs ?? Around?.FindInputs();

    /// <summary>The same place with one more variable, which stages are told apart by.</summary>
    public Scope With(string name, JsonElement value) =>
        this with { Variables = Variables.With(name, value), Marks = Marks.SetItem(name, value) };
}

/// <summary>The named inputs of a group, a round or a nested workflow.</summary>
internal interface IInputs
{
    IReadOnlyCollection<string> Names { get; }

    /// <returns>Null when it is at fault, which was said.</returns>
    Resolved? Find(string name);
}

/// <summary>A <c>when</c>, or an <c>until</c> of an earlier round, and where it stands.</summary>
/// <param name="Stage">As the document names it.</param>
/// <param name="What"><c>when</c> or <c>repeat.until</c>.</param>
internal sealed record Condition(string Text, bool Expected, Scope Scope, string Stage, string What);

/// <summary>What a name turned out to stand for.</summary>
/// <param name="Type">Of one item.</param>
/// <param name="Schema">Of one item's JSON; null when it is not known.</param>
internal sealed record Resolved(string Type, JsonElement? Schema, PlannedInput Input)
{
    public string Written => Input.IsList ? Type + "[]" : Type;
}
