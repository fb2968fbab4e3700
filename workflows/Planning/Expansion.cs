using System.Text.Json;

namespace Pipelines.Workflows.Planning;

/// <summary>One activity as it will run: of a matrix one branch, of a repetition one round.</summary>
/// <param name="Stage">As the document names it.</param>
/// <param name="Scope">Where it stands, with the values of its branch.</param>
internal sealed record Leaf(
    string Id, string Stage, StageDefinition Definition, CatalogEntry? Entry, Scope Scope, StageInputs Inputs);

/// <summary>Lays out groups, matrices, rounds and nested workflows as single activities. What feeds them is found later.</summary>
internal sealed class Expansion(Catalog catalog, Resolver resolver, Faults faults)
{
    /// <summary>More stages than this are taken for a slip.</summary>
    public const int MostStages = 20_000;

    private const int MostRounds = 1000;

    private readonly List<Action> checks = [];
    private int made;

    public List<Leaf> Leaves { get; } = [];

    public void Add(IReadOnlyList<StageDefinition> stages, Scope scope)
    {
        foreach (var group in stages.GroupBy(stage => stage.Id).Where(group => group.Count() > 1))
            faults.Add(scope.Path + group.Key, $"{group.Count()} stages have this id");
        foreach (var stage in stages.DistinctBy(stage => stage.Id))
            scope.Add(stage.Id, Expand(stage, scope));
    }

    /// <summary>What can only be seen when every stage is known.</summary>
    public void CheckInputs() => checks.ForEach(check => check());

    private Node Expand(StageDefinition stage, Scope scope)
    {
        var path = scope.Path + stage.Id;
        StageSettings.Check(stage, path, faults);
        if (stage.Matrix is { } matrix)
            return Matrix(stage, matrix, scope);
        if (stage.Repeat is { } repeat)
            return Repeat(stage, repeat, scope, WholeNumber.Read(repeat.Times, MostRounds, scope, path, "repeat.times", faults));
        return One(stage, scope, stage.Id, null);
    }

    private MatrixNode Matrix(StageDefinition stage, MatrixDefinition matrix, Scope scope)
    {
        var path = scope.Path + stage.Id;
        int? parallel = matrix.Parallel is { } most ? WholeNumber.Read(most, MostStages, scope, path, "matrix.parallel", faults) : null;
        var branches = new List<(Node, IReadOnlyDictionary<string, JsonElement>)>();
        foreach (var row in MatrixValues.Read(matrix, scope, path, faults).Take(Math.Max(1, MostStages - made)))
        {
            var index = branches.Count + 1;
            var branch = row.Aggregate(scope, (inner, value) => inner.With(value.Key, value.Value));
            if (parallel is { } atOnce)
                branch = branch with { Turns = branch.Turns.Add(new PlannedTurn(scope.Prefix + stage.Id, index, atOnce)) };
            branches.Add((One(stage, branch, $"{stage.Id}.{index}", null), row));
        }

        if (branches.Count > 0)
            return new MatrixNode(branches);
        // What is wrong inside is to be said as well.
        var unknown = matrix.Values.Keys.Aggregate(scope.Variables, (variables, name) => variables.With(name, null));
        return new MatrixNode([(One(stage, scope with { Variables = unknown }, stage.Id, null), new Dictionary<string, JsonElement>())]);
    }

    private RepeatNode Repeat(StageDefinition stage, RepeatDefinition repeat, Scope scope, int times)
    {
        var rounds = new List<Node>();
        for (var round = 1; round <= times; round++)
        {
            var here = scope.With("round", Json.Write(round));
            here = here with { Variables = here.Variables.With("rounds", Json.Write(times)) };
            var node = One(stage, here, $"{stage.Id}.{round}", rounds.LastOrDefault(), out var inside);
            rounds.Add(node);
            if (repeat.Until is not { } until)
                continue;
            // Its names are those of the round's own stages, and the stage's own outputs.
            var asked = new Scope(inside ?? here, here.Variables);
            asked.Add(stage.Id, node);
            scope = scope with
            {
                Conditions = scope.Conditions.Add(new Condition(until, false, asked, scope.Path + stage.Id, "repeat.until")),
            };
        }

        return new RepeatNode(rounds);
    }

    private Node One(StageDefinition stage, Scope scope, string name, Node? previous) =>
        One(stage, scope, name, previous, out _);

    /// <param name="scope">With the values of the branch or round.</param>
    /// <param name="name">The id, numbered in a branch or round.</param>
    /// <param name="inside">The scope of its stages, where they may be seen from its conditions.</param>
    private Node One(StageDefinition stage, Scope scope, string name, Node? previous, out Scope? inside)
    {
        inside = null;
        made++;
        var path = scope.Path + stage.Id;
        var inputs = new StageInputs(stage, scope, previous, resolver);
        if (stage.When is { } when)
            scope = scope with { Conditions = scope.Conditions.Add(new Condition(when, true, scope, path, "when")) };
        var inner = new Scope(scope, scope.Variables)
        {
            Prefix = $"{scope.Prefix}{name}.",
            Path = path + ".",
            Conditions = scope.Conditions,
            Turns = scope.Turns,
            Marks = scope.Marks,
        };
        if (stage.Stages is { } stages)
        {
            inside = inner with { Inputs = inputs };
            Add(stages, inside);
            return new GroupNode($"the group '{stage.Id}'", path, stage.Outputs ?? new Dictionary<string, Sources>(), inside, resolver);
        }

        if (stage.Workflow is { } workflow)
            return Nested(stage, workflow, inner, inputs);
        return Activity(stage, scope, scope.Prefix + name, inputs);
    }

    private GroupNode Nested(StageDefinition stage, NestedWorkflow workflow, Scope inner, StageInputs inputs)
    {
        var path = inner.Around!.Path + stage.Id;
        var definition = workflow.Definition ?? new WorkflowDefinition("", []);
        if (workflow.Definition is null)
            faults.Add(path, $"the workflow '{workflow.Path}' was not read: it can only be named by a file");
        var given = stage.Parameters is { ValueKind: JsonValueKind.Object } json
            ? new Template(inner.Variables, path, faults).Fill(json)?.EnumerateObject().ToDictionary(one => one.Name, one => one.Value)
            : [];
        var declared = definition.Inputs ?? new Dictionary<string, string>();
        var scope = inner with
        {
            Around = null,
            Variables = given is null ? Missing(definition) : ParameterValues.Read(definition, given, path, faults),
            Inputs = new NestedInputs(declared, inputs),
        };
        checks.Add(() => CheckNested(path, declared, inputs));
        Add(definition.Stages, scope);
        return new GroupNode(
            $"the workflow '{definition.Name}'", path, definition.Outputs ?? new Dictionary<string, Sources>(), scope, resolver);
    }

    private static Variables Missing(WorkflowDefinition definition) =>
        (definition.Parameters?.Keys ?? []).Aggregate(Variables.None, (variables, name) => variables.With(name, null));

    private void CheckNested(string path, IReadOnlyDictionary<string, string> declared, StageInputs inputs)
    {
        foreach (var name in inputs.Names.Where(name => !declared.ContainsKey(name)))
            faults.Add(path, $"the workflow has no input '{name}'{Suggestion.For(name, [.. declared.Keys])}");
        foreach (var (name, type) in declared)
        {
            if (!inputs.Names.Contains(name))
                faults.Add(path, $"input '{name}' ({type}) is not connected");
            else if (inputs.Find(name) is { } found && found.Written != type)
                faults.Add(path, $"input '{name}' takes a {type}, but is fed a {found.Written}");
        }
    }

    private ActivityNode Activity(StageDefinition stage, Scope scope, string id, StageInputs inputs)
    {
        var kind = stage.Kind ?? "";
        var entry = catalog.Find(kind);
        if (entry is null && kind.Length > 0)
        {
            faults.Add(scope.Path + stage.Id, kind.StartsWith(Elsa.ElsaActivity.Placeholder, StringComparison.Ordinal)
                ? $"'{kind}' is Elsa's: it is kept, and cannot be run here; put a stage of a kind that is ours in its place"
                : $"no activity of kind '{kind}'" + Suggestion.For(kind, [.. catalog.Entries.Select(known => known.Kind)]));
        }

        if (made > MostStages)
            faults.Add(null, $"the workflow comes to more than {MostStages} stages");
        else
            Leaves.Add(new Leaf(id, scope.Path + stage.Id, stage, entry, scope, inputs));
        return new ActivityNode(id, kind, entry);
    }
}
