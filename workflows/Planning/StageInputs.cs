namespace Pipelines.Workflows.Planning;

/// <summary>
/// What feeds a stage: what the document says, save that a later round takes what the one before put out by that name.
/// </summary>
/// <param name="previous">The round before; null for the first, and for a stage that is not repeated.</param>
internal sealed class StageInputs(StageDefinition stage, Scope scope, Node? previous, Resolver resolver) : IInputs
{
    private readonly IReadOnlyDictionary<string, Sources> sources = stage.Inputs ?? new Dictionary<string, Sources>();

    public IReadOnlyCollection<string> Names => [.. sources.Keys];

    public Resolved? Find(string name) => Find(name, asList: false);

    public Resolved? Find(string name, bool asList) => previous?.Ports?.Contains(name) == true
        ? previous.Output(name)
        : resolver.Join(sources[name], scope, scope.Path + stage.Id, $"input '{name}'", asList);
}

/// <summary>The inputs of a workflow that is looked at by itself: only their types are known.</summary>
internal sealed class DeclaredInputs(IReadOnlyDictionary<string, string> types) : IInputs
{
    public IReadOnlyCollection<string> Names => [.. types.Keys];

    public Resolved? Find(string name) =>
        new(types[name], null, PlannedInput.One(new OutputName(Resolver.Inputs, name)));
}

/// <summary>The inputs of a nested workflow: those of the stage that it is, of the types that it declares.</summary>
internal sealed class NestedInputs(IReadOnlyDictionary<string, string> types, StageInputs given) : IInputs
{
    public IReadOnlyCollection<string> Names => [.. types.Keys];

    public Resolved? Find(string name) => given.Names.Contains(name) ? given.Find(name) : null;
}
