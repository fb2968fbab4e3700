using Microsoft.EntityFrameworkCore;
using Pipelines.Engine;

namespace Pipelines.Web;

/// <summary>What a page hears; what it is about, it asks for.</summary>
/// <param name="Type"><c>run</c>, <c>schedules</c>, <c>workers</c> or <c>definitions</c>.</param>
/// <param name="Id">The run.</param>
/// <param name="Name">The definition.</param>
internal sealed record ServerEvent(string Type, Guid? Id = null, string? Name = null);

/// <summary>Gives what Postgres announces, through whatever process it happened, to every page that listens here.</summary>
internal sealed class EventHub : IDisposable
{
    private const int MostRuns = 200;

    private readonly PipelinesEngine engine;
    private readonly Lock held = new();
    private readonly HashSet<EventQueue> queues = [];

    public EventHub(PipelinesEngine engine)
    {
        this.engine = engine;
        var listener = engine.Listener;
        listener.RunChanged += TellRun;
        listener.SchedulesChanged += TellSchedules;
        listener.WorkersChanged += TellWorkers;
        listener.DefinitionChanged += TellDefinition;
        listener.Missed += TellMissed;
    }

    /// <summary>From now on it hears everything.</summary>
    public async Task<EventQueue> OpenAsync(CancellationToken cancellation)
    {
        await engine.Listener.StartAsync(cancellation);
        var queue = new EventQueue(Close);
        lock (held)
            queues.Add(queue);
        return queue;
    }

    /// <summary>Everything that may have changed while a page did not listen.</summary>
    public async Task<IReadOnlyList<ServerEvent>> MissedAsync(CancellationToken cancellation)
    {
        await using var db = engine.Database.Create();
        var runs = await db.Database.SqlQuery<Guid>($"""
            SELECT id AS "Value" FROM pipelines.runs
            WHERE state = 'running' OR finished_at > now() - interval '10 minutes' ORDER BY created_at DESC LIMIT {MostRuns}
            """).ToListAsync(cancellation);
        return
        [
            new ServerEvent("schedules"), new ServerEvent("workers"), new ServerEvent("definitions"),
            .. runs.Select(run => new ServerEvent("run", run)),
        ];
    }

    public void Dispose()
    {
        var listener = engine.Listener;
        listener.RunChanged -= TellRun;
        listener.SchedulesChanged -= TellSchedules;
        listener.WorkersChanged -= TellWorkers;
        listener.DefinitionChanged -= TellDefinition;
        listener.Missed -= TellMissed;
    }

    private void TellRun(Guid run) => Tell(queue => queue.Add(new ServerEvent("run", run)));

    private void TellSchedules() => Tell(queue => queue.Add(new ServerEvent("schedules")));

    private void TellWorkers() => Tell(queue => queue.Add(new ServerEvent("workers")));

    private void TellDefinition(string name) => Tell(queue => queue.Add(new ServerEvent("definitions", Name: name.Length > 0 ? name : null)));

    private void TellMissed() => Tell(queue => queue.MissAll());

    private void Tell(Action<EventQueue> tell)
    {
        lock (held)
        {
            foreach (var queue in queues)
                tell(queue);
        }
    }

    private void Close(EventQueue queue)
    {
        lock (held)
            queues.Remove(queue);
    }
}

/// <summary>What one page has not heard yet; what happens to the same thing meanwhile is heard once.</summary>
internal sealed class EventQueue(Action<EventQueue> close) : IDisposable
{
    private readonly Lock held = new();
    private readonly SemaphoreSlim any = new(0, 1);
    private HashSet<ServerEvent> events = [];
    private bool missed;

    public void Add(ServerEvent one)
    {
        lock (held)
        {
            events.Add(one);
            Signal();
        }
    }

    /// <summary>Something got lost on the way.</summary>
    public void MissAll()
    {
        lock (held)
        {
            missed = true;
            Signal();
        }
    }

    /// <returns>False when nothing came for so long.</returns>
    public Task<bool> WaitAsync(TimeSpan atMost, CancellationToken cancellation) => any.WaitAsync(atMost, cancellation);

    /// <summary>What there is, in the order in which it came, and whether something got lost.</summary>
    public (IReadOnlyCollection<ServerEvent> Events, bool Missed) Take()
    {
        lock (held)
        {
            var taken = (events, missed);
            (events, missed) = ([], false);
            return taken;
        }
    }

    public void Dispose()
    {
        close(this);
        any.Dispose();
    }

    private void Signal()
    {
        if (any.CurrentCount == 0)
            any.Release();
    }
}
