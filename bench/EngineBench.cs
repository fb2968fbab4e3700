using System.Diagnostics;
using Pipelines.Engine;

namespace Pipelines.Bench;

/// <param name="Database">Connection string of a server; null for a private cluster.</param>
/// <param name="History">Ended runs that the second half of the measurements has beside it; 0 leaves it out.</param>
/// <param name="Runs">One-stage runs that are drained.</param>
/// <param name="Rounds">Chains and fans; the median counts.</param>
/// <param name="Profile">Whether to say which commands the time went to.</param>
public sealed record EngineBenchOptions(
    string? Database, int History, int Runs, int Rounds, int Workers, int Slots, bool Profile);

/// <summary>What the engine and Postgres cost beside the work: stages that do nothing, in a database of their own.</summary>
public sealed class EngineBench(EngineBenchOptions options, Action<string> say)
{
    private const int Length = 40;
    private const int Starts = 250;

    private readonly EngineNothing nothing = new();
    private readonly Random random = new(1);
    private EngineDatabase database = null!;

    /// <exception cref="EngineException">The database cannot be reached.</exception>
    public async Task<(EngineSpeed Fresh, EngineSpeed? History)> RunAsync(CancellationToken cancellation)
    {
        say("making a database");
        await using var made = database = await EngineDatabase.CreateAsync(options.Database, cancellation);
        var fresh = await MeasureAsync("empty database", cancellation);
        if (options.History == 0)
            return (fresh, null);
        say($"writing {options.History} ended runs");
        await EngineHistory.InsertAsync(database, options.History, cancellation);
        return (fresh, await MeasureAsync($"{options.History} ended runs", cancellation));
    }

    private async Task<EngineSpeed> MeasureAsync(string name, CancellationToken cancellation)
    {
        double chain, fan;
        List<double> starts;
        await using (var crew = await OpenAsync(work: true, cancellation))
        {
            say($"{name}: chains of {Length}");
            chain = await MedianAsync(() => nothing.Chain(Length), crew, cancellation);
            say($"{name}: fans of {EngineNothing.Width}");
            fan = await MedianAsync(nothing.Fan, crew, cancellation);
            say($"{name}: {Starts} starts");
            starts = await StartsAsync(crew, cancellation);
        }

        say($"{name}: counting");
        var counts = await CountAsync(cancellation);
        await using var empty = await OpenAsync(work: false, cancellation);
        var (runs, wakes) = await new EngineDrain(options, database, nothing, line => say($"{name}: {line}")).RunAsync(empty, cancellation);
        return new EngineSpeed(
            chain / Length, fan / (EngineNothing.Width + 2), starts, runs, wakes, counts.Commits, counts.Flushes,
            counts.Commands, counts.Statements);
    }

    private async Task<EngineCrew> OpenAsync(bool work, CancellationToken cancellation)
    {
        var crew = await EngineCrew.OpenAsync(database, nothing, cancellation);
        if (work)
            await crew.WorkAsync(options.Workers, options.Slots, database, nothing, cancellation);
        return crew;
    }

    /// <summary>Milliseconds; the first two warm up.</summary>
    private async Task<double> MedianAsync(Func<EngineGraph> graph, EngineCrew crew, CancellationToken cancellation)
    {
        var all = new List<double>();
        for (var round = -2; round < options.Rounds; round++)
        {
            var next = graph();
            var clock = Stopwatch.StartNew();
            await EndAsync(next, crew, cancellation);
            if (round >= 0)
                all.Add(clock.Elapsed.TotalMilliseconds);
        }

        return all.Order().ElementAt(all.Count / 2);
    }

    /// <summary>Starts a run and waits for its end; the database is only asked once the last stage has begun.</summary>
    private async Task EndAsync(EngineGraph graph, EngineCrew crew, CancellationToken cancellation)
    {
        var run = await crew.Client.StartRunAsync(graph.Plan, useCache: true, cancellation);
        await graph.LastBegan.WaitAsync(cancellation);
        while (await database.AskAsync<string>($"SELECT state FROM pipelines.runs WHERE id = '{run}'", cancellation) == "running")
            await Task.Delay(1, cancellation);
    }

    /// <summary>
    /// Milliseconds, sorted. One clock of one process reads both ends, and the second is read in the stage's own code: the
    /// claim is committed by then and its thread has started, so this is a little more than the time to the claim.
    /// </summary>
    private async Task<List<double>> StartsAsync(EngineCrew crew, CancellationToken cancellation)
    {
        var all = new List<double>();
        for (var i = 0; i < Starts; i++)
        {
            // Longer than a worker needs to find that nothing is left.
            await Task.Delay(random.Next(30, 130), cancellation);
            var graph = nothing.Chain(1);
            var before = Stopwatch.GetTimestamp();
            await EndAsync(graph, crew, cancellation);
            all.Add(Stopwatch.GetElapsedTime(before, await graph.LastBegan).TotalMilliseconds);
        }

        return [.. all.Order()];
    }

    /// <summary>Per stage of a chain, from an engine that opens, works and closes, less one that opens, idles as long and closes.</summary>
    private async Task<EngineCounts> CountAsync(CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var busy = await CountAsync(async crew =>
        {
            clock.Restart();
            for (var round = 0; round < options.Rounds; round++)
                await EndAsync(nothing.Chain(Length), crew, cancellation);
            clock.Stop();
        }, options.Profile, cancellation);
        var idle = await CountAsync(_ => Task.Delay(clock.Elapsed, cancellation), profile: false, cancellation);
        return busy.Minus(idle).Over(options.Rounds * Length);
    }

    private async Task<EngineCounts> CountAsync(Func<EngineCrew, Task> action, bool profile, CancellationToken cancellation)
    {
        using var commands = new EngineCommands();
        var before = await EngineCounts.ReadAsync(database, commands, cancellation);
        await using (var crew = await OpenAsync(work: true, cancellation))
            await action(crew);
        foreach (var line in profile ? commands.Profile(options.Rounds * Length).Take(25) : [])
            say(line);
        return (await EngineCounts.ReadAsync(database, commands, cancellation)).Minus(before);
    }
}
