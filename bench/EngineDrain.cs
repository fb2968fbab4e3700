using System.Diagnostics;

namespace Pipelines.Bench;

/// <summary>One-stage runs that were stored while nobody worked, and how fast workers that then come get through them.</summary>
internal sealed class EngineDrain(EngineBenchOptions options, EngineDatabase database, EngineNothing nothing, Action<string> say)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>In database time, from before the workers open to the last run's end.</summary>
    /// <param name="crew">Without workers yet.</param>
    public async Task<(double RunsPerSecond, double WakesSeconds)> RunAsync(EngineCrew crew, CancellationToken cancellation)
    {
        say($"storing {options.Runs} runs");
        await Parallel.ForAsync(0, options.Runs, cancellation, async (_, token) =>
            await crew.Client.StartRunAsync(nothing.Chain(1).Plan, useCache: true, token));
        say($"draining");
        using var commands = options.Profile ? new EngineCommands() : null;
        var ran = nothing.Ran;
        var clock = Stopwatch.StartNew();
        await database.AskAsync<bool>("CREATE TEMP TABLE began AS SELECT clock_timestamp() AS at; SELECT true", cancellation);
        await crew.WorkAsync(options.Workers, options.Slots, database, nothing, cancellation);
        while (await database.AskAsync<bool>(
            "SELECT EXISTS (SELECT FROM pipelines.stages WHERE state IN ('waiting', 'ready', 'running'))", cancellation))
        {
            await Task.Delay(50, cancellation);
            if (clock.Elapsed > Patience)
            {
                say($"{nothing.Ran - ran} of {options.Runs} runs");
                clock.Restart();
            }
        }

        var seconds = await database.AskAsync<double>(
            "SELECT extract(epoch FROM max(finished_at) - (SELECT at FROM began))::float8 FROM pipelines.runs", cancellation);
        foreach (var line in commands?.Profile(options.Runs).Take(40) ?? [])
            say(line);
        clock.Restart();
        while (await database.AskAsync<bool>("SELECT EXISTS (SELECT FROM quartz.qrtz_triggers)", cancellation))
            await Task.Delay(50, cancellation);
        var wakes = clock.Elapsed.TotalSeconds;
        await database.AskAsync<bool>("DROP TABLE began; SELECT true", cancellation);
        return (options.Runs / seconds, wakes);
    }
}
