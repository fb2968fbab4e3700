using Pipelines.Workflows;

namespace Pipelines.Activities.Deciding;

/// <summary>A decision artifact: <c>decision.json</c>.</summary>
public static class DecisionFolder
{
    private const string FileName = "decision.json";

    public static async Task<Decision> SaveDecisionAsync(this StageContext stage, PruningDecision decision, CancellationToken cancellation)
    {
        await using var draft = stage.Artifacts.Begin();
        await File.WriteAllTextAsync(Path.Combine(draft.Folder, FileName), Json.Pretty(decision), cancellation);
        return new Decision(await draft.CommitAsync(cancellation));
    }

    /// <exception cref="StageException">The decision was made for another model.</exception>
    public static async Task<PruningDecision> OpenDecisionAsync(
        this StageContext stage, Decision decision, Checkpoint model, CancellationToken cancellation)
    {
        var folder = await stage.Artifacts.OpenAsync(decision.Hash, cancellation);
        var read = Json.Read<PruningDecision>(await File.ReadAllTextAsync(Path.Combine(folder, FileName), cancellation));
        return read.Model == model.Hash
            ? read
            : throw new StageException($"this decision was made for model {read.Model}, but this is model {model.Hash}: decide on the model that is cut");
    }
}
