namespace Pipelines.Workflows.Planning;

/// <summary>Feeders first, else in the order of the document; what cannot be ordered is on a cycle.</summary>
internal static class StageOrder
{
    public static List<PlannedStage> Of(List<PlannedStage> stages, Faults faults)
    {
        // What another workflow gives this one comes from no stage of it.
        var ids = stages.Select(stage => stage.Id).ToHashSet();
        var waiting = stages.ToDictionary(stage => stage.Id, stage => stage.Feeders.Count(ids.Contains));
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
            faults.Add(null, $"the stages feed each other in a circle: {string.Join(" → ", Cycle(stages, waiting))}");
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
}
