using Microsoft.Extensions.Logging;
using Pipelines.Storage;

namespace Pipelines.Engine;

/// <summary>
/// The thread that says that this worker lives, every few seconds for as long as the process does, and tells its stages
/// what the database answers: that their run was cancelled, or that they were given to another worker.
/// </summary>
internal sealed partial class LeaseKeeper(
    LeaseConnection leases, RunningStages running, TimeSpan lease, ILogger<LeaseKeeper> logger) : IDisposable
{
    /// <summary>So many renewals may fail before a lease lapses.</summary>
    private const int RenewalsPerLease = 5;

    /// <summary>So many may fail before the worker itself counts as dead, however long its leases are.</summary>
    private const int RenewalsPerLife = 3;

    private readonly object waiting = new();
    private bool hurried;
    private bool stopped;
    private Thread? thread;

    /// <summary>This worker was told to leave; said at every renewal from then on, on the thread that renews.</summary>
    public event Action<DrainOrder>? Drained;

    public void Start()
    {
        thread = new Thread(Keep) { IsBackground = true, Name = "leases", Priority = ThreadPriority.AboveNormal };
        thread.Start();
    }

    /// <summary>Asks at once what the database has to say.</summary>
    public void Hurry()
    {
        lock (waiting)
        {
            hurried = true;
            Monitor.Pulse(waiting);
        }
    }

    public void Dispose()
    {
        lock (waiting)
        {
            stopped = true;
            Monitor.Pulse(waiting);
        }

        thread?.Join();
        leases.Dispose();
    }

    private void Keep()
    {
        do
        {
            try
            {
                // What is claimed while the question is under way cannot be in the answer.
                var mine = running.Claims;
                Tell(mine, leases.Renew([.. mine.Select(claim => claim.Key)]));
            }
            catch (Exception error)
            {
                LogTrouble(error.Message);
            }
        }
        while (!Ends());
    }

    /// <summary>A renewal is the worker's sign of life as well.</summary>
    public static TimeSpan Period(TimeSpan lease)
    {
        var life = WorkerStore.DeadAfter / RenewalsPerLife;
        return lease / RenewalsPerLease < life ? lease / RenewalsPerLease : life;
    }

    private bool Ends()
    {
        lock (waiting)
        {
            if (!hurried && !stopped)
                Monitor.Wait(waiting, Period(lease));
            hurried = false;
            return stopped;
        }
    }

    private void Tell(IReadOnlyList<StageClaim> mine, Renewal renewal)
    {
        foreach (var claim in mine.Where(claim => !renewal.Held.Contains(claim.Key)))
            running.Lose(claim);
        foreach (var run in renewal.Cancelled)
            running.Cancel(run);
        if (renewal.Drain is { } order)
            Drained?.Invoke(order);
    }

    [LoggerMessage(LogLevel.Warning, "The worker cannot renew its leases: {Reason}")]
    private partial void LogTrouble(string reason);
}
