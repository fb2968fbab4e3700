using Pipelines.Activities;
using Pipelines.Tests.Failures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Guards;

/// <summary>What saves checkpoints is killed in its middle by the failure suite: a new stage cannot be forgotten there.</summary>
public sealed class CheckpointTests
{
    private static readonly string[] Saving =
    [
        .. from type in typeof(ActivityCatalog).Assembly.GetTypes()
           where ActivityListTests.IsActivity(type)
           where Calls.Reach(type.GetMethod("RunAsync")!, typeof(ICheckpoints).GetMethod(nameof(ICheckpoints.Save))!)
           select ActivityListTests.Kind(type),
    ];

    [Fact]
    public void Every_stage_that_saves_checkpoints_is_killed_by_the_failure_suite() =>
        Assert.Equal(Saving.Order(), KillableStage.All.Select(stage => stage.Kind).Distinct().Order());

    [Fact]
    public void What_only_computes_saves_none()
    {
        Assert.Contains("model.train", Saving);
        Assert.DoesNotContain("prune.wanda", Saving);
        Assert.DoesNotContain("evaluate.perplexity", Saving);
    }
}
