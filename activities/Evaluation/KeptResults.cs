using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>A loop whose steps have nothing to do with each other: it goes on after the last that has a result.</summary>
internal sealed class KeptResults<T>(StageContext stage)
{
    private const string FileName = "results.json";

    private static readonly TimeSpan BetweenCheckpoints = TimeSpan.FromMinutes(1);

    public IReadOnlyList<T> Run(int count, string unit, Func<int, T> step, CancellationToken cancellation)
    {
        List<T> results = stage.Checkpoints.Latest is { } checkpoint
            ? Json.Read<List<T>>(File.ReadAllText(Path.Combine(checkpoint.Folder, FileName)))
            : [];
        if (results.Count > 0)
            stage.Log($"goes on after {unit} {results.Count}");
        for (var at = results.Count; at < count; at++)
        {
            results.Add(step(at));
            stage.Report(at + 1, count, unit);
            if (stage.Checkpoints.Due(BetweenCheckpoints))
                stage.Checkpoints.Save(at + 1, folder => File.WriteAllText(Path.Combine(folder, FileName), Json.Pretty(results)));
            cancellation.ThrowIfCancellationRequested();
        }

        return results;
    }
}
