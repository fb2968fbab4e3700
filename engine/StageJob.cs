using Quartz;

namespace Pipelines.Engine;

/// <summary>
/// What Quartz fires: a wake, not a ticket. The slot that it opens takes one ready stage after the other, until none is
/// left that this worker can run. The class's name is stored; it stays.
/// </summary>
internal sealed class StageJob(StageExecutor executor) : IJob
{
    public const string RunKey = "run";

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        Guid? run = Guid.TryParse(context.MergedJobDataMap.GetString(RunKey), out var named) ? named : null;
        do
        {
            run = await executor.ExecuteNextAsync(run);
        }
        while (run is not null);
    }
}
