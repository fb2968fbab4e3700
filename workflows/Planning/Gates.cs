namespace Pipelines.Workflows.Planning;

/// <summary>Takes the gates off stages that nothing can keep from running: they need not be looked at.</summary>
internal static class Gates
{
    /// <param name="ordered">Feeders first.</param>
    public static List<PlannedStage> Mark(List<PlannedStage> ordered)
    {
        var gated = new HashSet<string>();
        return ordered.ConvertAll(stage =>
        {
            if (stage.Gate is { Conditions.Count: 0 } && !stage.Feeders.Any(gated.Contains))
                return stage with { Gate = null };
            gated.Add(stage.Id);
            return stage;
        });
    }
}
