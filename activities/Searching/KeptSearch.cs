using Pipelines.Activities.Allocation;
using Pipelines.Workflows;

namespace Pipelines.Activities.Searching;

/// <summary>A search as part of a stage: it shows its progress, and goes on from the generation that it had got to.</summary>
internal static class KeptSearch
{
    private const string FileName = "search.json";

    private static readonly TimeSpan BetweenCheckpoints = TimeSpan.FromMinutes(1);

    public static SearchState Run(
        LevelSpace space, SearchOptions options, LevelFitness fitness, StageContext stage, CancellationToken cancellation)
    {
        var before = stage.Checkpoints.Latest is { } checkpoint
            ? Json.Read<SearchState>(File.ReadAllText(Path.Combine(checkpoint.Folder, FileName)))
            : null;
        if (before is not null)
            stage.Log($"goes on after generation {before.Generation}");
        return LevelSearch.Run(space, options, fitness, before, Keep, cancellation);

        void Keep(SearchState state)
        {
            stage.Report(state.Generation, options.Generations, "generation", ("divergence", state.Fitness ?? double.NaN));
            if (stage.Checkpoints.Due(BetweenCheckpoints))
                stage.Checkpoints.Save(state.Generation, folder => File.WriteAllText(Path.Combine(folder, FileName), Json.Pretty(state)));
        }
    }
}
