using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine.Definitions;

/// <summary>Workflows that are kept here, as their users see them: edited, published, run by name.</summary>
public sealed class DefinitionBook
{
    private readonly DefinitionStore store;
    private readonly Catalog catalog;

    internal DefinitionBook(DefinitionStore store, Catalog catalog) => (this.store, this.catalog) = (store, catalog);

    /// <inheritdoc cref="DefinitionStore.ListAsync"/>
    public Task<IReadOnlyList<DefinitionSummary>> ListAsync(CancellationToken cancellation) => store.ListAsync(cancellation);

    /// <exception cref="DefinitionException">There is none.</exception>
    public async Task<DefinitionView> FindAsync(string name, CancellationToken cancellation) =>
        await store.FindAsync(name, cancellation) ?? throw await store.UnknownAsync(name, cancellation);

    /// <inheritdoc cref="DefinitionStore.FindVersionAsync"/>
    /// <exception cref="DefinitionException">There is none.</exception>
    public async Task<VersionView> FindVersionAsync(string name, int? version, CancellationToken cancellation)
    {
        if (await store.FindVersionAsync(name, version, cancellation) is { } found)
            return found;
        var view = await FindAsync(name, cancellation);
        throw new DefinitionException(DefinitionFault.Unknown, view.Published is { } latest
            ? $"'{name}' has no version {version}: the latest is {latest}"
            : $"nothing of '{name}' is published yet");
    }

    /// <inheritdoc cref="DefinitionStore.SaveAsync"/>
    public Task<int> SaveAsync(string name, JsonElement draft, int revision, string? by, CancellationToken cancellation) =>
        store.SaveAsync(name, draft, revision, by, cancellation);

    /// <summary>Makes the draft a version that never changes any more.</summary>
    /// <param name="revision">The one that whoever publishes has seen; null for whichever it is.</param>
    /// <returns>The version; the last one, when nothing changed since.</returns>
    /// <exception cref="DefinitionException">There is none, it was saved meanwhile, or it has faults: all of them.</exception>
    public async Task<int> PublishAsync(string name, int? revision, string? by, CancellationToken cancellation)
    {
        var view = await FindAsync(name, cancellation);
        if ((revision ?? view.Revision) == view.Revision && await FaultsAsync(view, cancellation) is { Count: > 0 } faults)
        {
            throw new DefinitionException(
                DefinitionFault.Invalid,
                $"'{name}' has {faults.Count} {(faults.Count == 1 ? "fault" : "faults")} and is not published: {string.Join("; ", faults)}")
            {
                Errors = faults,
            };
        }

        return await store.PublishAsync(name, revision ?? view.Revision, by, cancellation);
    }

    /// <inheritdoc cref="DefinitionStore.DeleteAsync"/>
    public Task DeleteAsync(string name, CancellationToken cancellation) => store.DeleteAsync(name, cancellation);

    /// <summary>A published workflow with those in it that it names: what a run of it executes.</summary>
    /// <exception cref="EngineException">There is none.</exception>
    public async Task<(WorkflowDefinition Definition, int Version)> ResolveAsync(
        DefinitionReference reference, CancellationToken cancellation)
    {
        try
        {
            var version = await FindVersionAsync(reference.Name, reference.Version, cancellation);
            return (await InlineAsync(Json.Read<WorkflowDefinition>(version.Definition), cancellation), version.Version);
        }
        catch (DefinitionException error)
        {
            throw new EngineException(error.Message, error);
        }
    }

    /// <summary>The workflow with the published ones in it that its stages name: <c>"workflow": "definition:NAME@VERSION"</c>.</summary>
    /// <exception cref="EngineException">Says which stage names what is not published.</exception>
    public async Task<WorkflowDefinition> InlineAsync(WorkflowDefinition definition, CancellationToken cancellation) =>
        definition with { Stages = await InlineAsync(definition.Stages, cancellation) };

    /// <returns>With the version, when it is a published one.</returns>
    internal async Task<(WorkflowDefinition Definition, int? Version)> ResolveAsync(NestedWorkflow source, CancellationToken cancellation) =>
        source.Path is { } path
            ? await ResolveAsync(Reference(path), cancellation)
            : (await InlineAsync(source.Definition!, cancellation), null);

    // A version can only name what was published before it, so this ends.
    private async Task<IReadOnlyList<StageDefinition>> InlineAsync(IReadOnlyList<StageDefinition> stages, CancellationToken cancellation)
    {
        var inlined = new List<StageDefinition>();
        foreach (var stage in stages ?? [])
            inlined.Add(stage is null ? stage! : await InlineAsync(stage, cancellation));
        return inlined;
    }

    private async Task<StageDefinition> InlineAsync(StageDefinition stage, CancellationToken cancellation)
    {
        if (stage.Stages is { } inner)
            return stage with { Stages = await InlineAsync(inner, cancellation) };
        if (stage.Workflow is { Definition: { } nested })
            return stage with { Workflow = new NestedWorkflow(null, await InlineAsync(nested, cancellation)) };
        if (!DefinitionReference.Is(stage.Workflow?.Path))
            return stage;
        var reference = Reference(stage.Workflow!.Path!);
        if (reference.Version is null)
            throw new EngineException($"stage '{stage.Id}' names '{stage.Workflow.Path}': expected a version that stays the same, as {stage.Workflow.Path}@1");
        return stage with { Workflow = new NestedWorkflow(null, (await ResolveAsync(reference, cancellation)).Definition) };
    }

    private static DefinitionReference Reference(string text) => DefinitionReference.Parse(text)
        ?? throw new EngineException($"'{text}' names no published workflow: expected {DefinitionReference.Prefix}NAME@VERSION");

    private async Task<IReadOnlyList<WorkflowError>> FaultsAsync(DefinitionView view, CancellationToken cancellation)
    {
        try
        {
            var definition = Json.Read<WorkflowDefinition>(view.Definition);
            List<WorkflowError> faults = [.. Plan.Check(await InlineAsync(definition, cancellation), catalog)];
            // Runs are found by the name of their workflow.
            if (definition.Name != view.Name)
                faults.Insert(0, new WorkflowError(null, $"the name in the document is '{definition.Name}': expected '{view.Name}'"));
            return faults;
        }
        catch (JsonException error)
        {
            return [new WorkflowError(null, WorkflowFile.Explain(error))];
        }
        catch (EngineException error)
        {
            return [new WorkflowError(null, error.Message)];
        }
    }
}
