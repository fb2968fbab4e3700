using Quartz;
using Quartz.Extensibility;

namespace Pipelines.Engine;

/// <summary>
/// Makes Quartz look for due triggers as soon as Postgres says that one was stored; by itself it looks once in its idle
/// time, of a second at least.
/// </summary>
internal sealed class PgWake(ISchedulerSignaler signaler, DatabaseListener listener) : ISchedulerPlugin
{
    public ValueTask Initialize(string pluginName, IScheduler scheduler, CancellationToken cancellationToken = default) =>
        ValueTask.CompletedTask;

    public ValueTask Start(CancellationToken cancellationToken = default)
    {
        listener.Woken += Look;
        listener.Missed += Look;
        return ValueTask.CompletedTask;
    }

    public ValueTask Shutdown(CancellationToken cancellationToken = default)
    {
        listener.Woken -= Look;
        listener.Missed -= Look;
        return ValueTask.CompletedTask;
    }

    private void Look() => _ = signaler.SignalSchedulingChange(null, CancellationToken.None).AsTask();
}
