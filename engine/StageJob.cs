using Quartz;

namespace Pipelines.Engine;

/// <summary>
/// What Quartz fires: a wake, not a ticket. The slot that it opens takes one ready stage after the other, until none is
/// left of its group. The class's name is stored; it stays.
/// </summary>
internal sealed class StageJob(StageExecutor executor) : IJob
{
    public const string RunKey = "run";

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        // A firing that is recovered from a dead worker keeps its group.
        using var slot = executor.TakeSlot(context.Trigger.ExecutionGroup!);
        if (slot is null)
            return;
        Guid? run = Guid.TryParse(context.MergedJobDataMap.GetString(RunKey), out var named) ? named : null;
        do
        {
            run = await executor.ExecuteNextAsync(slot, run);
        }
        while (run is not null);
    }
}
