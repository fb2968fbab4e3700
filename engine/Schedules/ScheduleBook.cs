using System.Text.Json;
using System.Text.RegularExpressions;
using Pipelines.Engine.Definitions;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine.Schedules;

/// <summary>Schedules as their users see them: added, looked at, edited, paused, triggered, removed.</summary>
public sealed partial class ScheduleBook
{
    // Each holds a connection of the database and needs another one: all at once would wait for each other.
    private static readonly SemaphoreSlim Turns = new(4);

    private readonly ScheduleStore store;
    private readonly ScheduleReader reader;
    private readonly ScheduleRunner runner;
    private readonly DefinitionBook definitions;
    private readonly Catalog catalog;
    private readonly StageWaker waker;

    internal ScheduleBook(
        ScheduleStore store, ScheduleReader reader, ScheduleRunner runner, DefinitionBook definitions, Catalog catalog, StageWaker waker)
    {
        this.store = store;
        this.reader = reader;
        this.runner = runner;
        this.definitions = definitions;
        this.catalog = catalog;
        this.waker = waker;
    }

    /// <summary>Its first time is the first one after now.</summary>
    /// <param name="definition">A copy is kept.</param>
    /// <param name="parameters">Of the workflow. A path <c>latest:DIRECTORY/*</c> is resolved at each firing.</param>
    /// <exception cref="EngineException">
    /// The name is taken, or the cron, the zone, a parameter or the workflow is wrong.
    /// </exception>
    public Task<ScheduleView> AddAsync(
        string name, string cron, string zone, MissedPolicy missed, OverlapPolicy overlap, WorkflowDefinition definition,
        IReadOnlyDictionary<string, JsonElement> parameters, CancellationToken cancellation) =>
        AddAsync(name, cron, zone, missed, overlap, new NestedWorkflow(null, definition), parameters, cancellation);

    /// <param name="definition">What is published; without a version, the one that is the latest at each firing.</param>
    /// <inheritdoc cref="AddAsync(string, string, string, MissedPolicy, OverlapPolicy, WorkflowDefinition, IReadOnlyDictionary{string, JsonElement}, CancellationToken)"/>
    public Task<ScheduleView> AddAsync(
        string name, string cron, string zone, MissedPolicy missed, OverlapPolicy overlap, DefinitionReference definition,
        IReadOnlyDictionary<string, JsonElement> parameters, CancellationToken cancellation) =>
        AddAsync(name, cron, zone, missed, overlap, Published(definition), parameters, cancellation);

    private async Task<ScheduleView> AddAsync(
        string name, string cron, string zone, MissedPolicy missed, OverlapPolicy overlap, NestedWorkflow source,
        IReadOnlyDictionary<string, JsonElement> parameters, CancellationToken cancellation)
    {
        if (!Name().IsMatch(name))
        {
            throw new ScheduleException(
                ScheduleFault.Invalid,
                $"the name '{name}': expected a letter followed by letters, digits, '-', '_' and '.', 64 at most");
        }

        var times = Cron.Parse(cron, zone);
        var (definition, _) = await definitions.ResolveAsync(source, cancellation);
        var values = Check(definition, parameters);
        var now = await store.NowAsync(cancellation);
        var added = await store.AddAsync(
            new ScheduleRow
            {
                Name = name,
                Cron = cron,
                Zone = zone,
                Missed = missed,
                Overlap = overlap,
                Definition = Json.Write(source).GetRawText(),
                Parameters = values,
                LastFire = now,
                NextFire = times.After(now),
            },
            cancellation);
        return added
            ? await FindAsync(name, cancellation)
            : throw new ScheduleException(ScheduleFault.Taken, $"there is a schedule '{name}' already: remove it first, or choose another name");
    }

    /// <summary>
    /// What is due by now is decided first, by what the schedule was; its next time is the first one after now. What waits for
    /// the previous run starts as the schedule is then. It stays paused, and keeps its history.
    /// </summary>
    /// <exception cref="EngineException">There is no such schedule, or the cron, the zone, a parameter or the workflow is wrong.</exception>
    public async Task<ScheduleView> EditAsync(string name, ScheduleChange change, CancellationToken cancellation)
    {
        await WithTurnAsync(
            name, async turn => await runner.EditAsync(turn, await EditedAsync(turn.Row, change, cancellation), cancellation), cancellation);
        return await FindAsync(name, cancellation);
    }

    /// <summary>What a schedule starts, as that is now.</summary>
    /// <exception cref="EngineException">There is no such schedule, or what it starts is not there.</exception>
    public async Task<WorkflowDefinition> WorkflowAsync(string name, CancellationToken cancellation)
    {
        var source = await reader.SourceAsync(name, cancellation) ?? throw await UnknownAsync(name, cancellation);
        return (await definitions.ResolveAsync(source, cancellation)).Definition;
    }

    /// <summary>A path as a schedule keeps it: full, seen from the current folder; <c>latest:</c> stays in front.</summary>
    public static string FullPath(string value) => LatestEntry.Is(value) ? LatestEntry.Full(value) : Path.GetFullPath(value);

    public Task<IReadOnlyList<ScheduleView>> ListAsync(CancellationToken cancellation) => reader.ListAsync(cancellation);

    /// <exception cref="EngineException">There is no such schedule.</exception>
    public async Task<ScheduleView> FindAsync(string name, CancellationToken cancellation) =>
        await reader.FindAsync(name, cancellation) ?? throw await UnknownAsync(name, cancellation);

    /// <summary>What became of its times, the newest first.</summary>
    public Task<IReadOnlyList<FireView>> HistoryAsync(string name, int limit, CancellationToken cancellation) =>
        reader.HistoryAsync(name, limit, cancellation);

    /// <inheritdoc cref="ScheduleReader.LastAsync"/>
    public Task<IReadOnlyDictionary<string, FireView>> LastAsync(CancellationToken cancellation) => reader.LastAsync(cancellation);

    /// <summary>Its next times by this machine's zones; none while it is paused.</summary>
    /// <exception cref="EngineException">Its zone is not on this machine.</exception>
    public static IReadOnlyList<DateTimeOffset> NextTimes(ScheduleView schedule, int count)
    {
        var cron = Cron.Parse(schedule.Cron, schedule.Zone);
        var times = new List<DateTimeOffset>();
        for (var next = schedule.Next; next is { } time && times.Count < count; next = cron.After(time))
            times.Add(time);
        return times;
    }

    /// <summary>The first times of a cron from now on, before there is a schedule of it.</summary>
    /// <exception cref="CronException">The cron or the zone is wrong.</exception>
    public async Task<IReadOnlyList<DateTimeOffset>> PreviewAsync(string cron, string zone, int count, CancellationToken cancellation)
    {
        var times = new List<DateTimeOffset>();
        var parsed = Cron.Parse(cron, zone);
        for (var next = parsed.After(await store.NowAsync(cancellation)); next is { } time && times.Count < count; next = parsed.After(time))
            times.Add(time);
        return times;
    }

    /// <inheritdoc cref="ScheduleStore.PauseAsync"/>
    /// <exception cref="EngineException">There is no such schedule.</exception>
    public async Task PauseAsync(string name, string? reason, CancellationToken cancellation)
    {
        if (!await store.PauseAsync(name, reason, cancellation))
            throw await UnknownAsync(name, cancellation);
    }

    /// <summary>The times that passed while it was paused are not made up for.</summary>
    /// <exception cref="EngineException">There is no such schedule, or it is not paused.</exception>
    public async Task ResumeAsync(string name, CancellationToken cancellation)
    {
        var schedule = await FindAsync(name, cancellation);
        if (schedule.PausedAt is null)
            throw new ScheduleException(ScheduleFault.NotPaused, $"the schedule '{name}' is not paused");
        var now = await store.NowAsync(cancellation);
        await store.ResumeAsync(name, now, Cron.Parse(schedule.Cron, schedule.Zone).After(now), cancellation);
    }

    /// <inheritdoc cref="ScheduleStore.RemoveAsync"/>
    /// <exception cref="EngineException">There is no such schedule.</exception>
    public async Task RemoveAsync(string name, CancellationToken cancellation)
    {
        if (!await store.RemoveAsync(name, cancellation))
            throw await UnknownAsync(name, cancellation);
    }

    /// <summary>Fires now, paused or not; what overlaps is treated as at any other time.</summary>
    /// <exception cref="EngineException">There is no such schedule.</exception>
    public async Task<FireView> TriggerAsync(string name, CancellationToken cancellation)
    {
        var time = default(DateTimeOffset);
        await WithTurnAsync(name, async turn => time = await runner.TriggerAsync(turn, cancellation), cancellation);
        var history = await reader.HistoryAsync(name, DueTimes.Most, cancellation);
        return history.First(fire => fire.Time == time);
    }

    private async Task WithTurnAsync(string name, Func<ScheduleTurn, Task> act, CancellationToken cancellation)
    {
        await waker.SchedulerAsync(cancellation);
        await Turns.WaitAsync(cancellation);
        try
        {
            await using var turn = await store.TakeAsync(name, cancellation) ?? throw await UnknownAsync(name, cancellation);
            await act(turn);
        }
        finally
        {
            Turns.Release();
        }
    }

    private async Task<ScheduleRow> EditedAsync(ScheduleRow row, ScheduleChange change, CancellationToken cancellation)
    {
        var source = change switch
        {
            { Definition: { } published } => Published(published),
            { Document: { } document } => new NestedWorkflow(null, document),
            _ => Json.Read<NestedWorkflow>(row.Definition),
        };
        var (definition, _) = await definitions.ResolveAsync(source, cancellation);
        var parameters = change.Parameters ?? Json.Read<Dictionary<string, JsonElement>>(row.Parameters)
            .Where(kept => definition.Parameters?.ContainsKey(kept.Key) == true).ToDictionary();
        return new ScheduleRow
        {
            Name = row.Name,
            Cron = change.Cron ?? row.Cron,
            Zone = change.Zone ?? row.Zone,
            Missed = change.Missed ?? row.Missed,
            Overlap = change.Overlap ?? row.Overlap,
            Definition = Json.Write(source).GetRawText(),
            Parameters = Check(definition, parameters),
        };
    }

    /// <returns>The parameters as they are kept.</returns>
    private string Check(WorkflowDefinition definition, IReadOnlyDictionary<string, JsonElement> parameters)
    {
        var plan = ScheduledPlan.Of(definition, catalog, parameters);
        foreach (var (parameter, value) in ScheduledPlan.Latest(definition, plan.Parameters))
            LatestEntry.Check(parameter, value);
        return Json.Write(plan.Parameters).GetRawText();
    }

    private static NestedWorkflow Published(DefinitionReference definition) => new($"{DefinitionReference.Prefix}{definition}", null);

    private async Task<ScheduleException> UnknownAsync(string name, CancellationToken cancellation)
    {
        var known = await reader.ListAsync(cancellation);
        return new ScheduleException(
            ScheduleFault.Unknown, $"there is no schedule '{name}'{Suggestion.For(name, [.. known.Select(schedule => schedule.Name)])}");
    }

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9._-]{0,63}$")]
    private static partial Regex Name();
}
