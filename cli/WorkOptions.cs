using System.CommandLine;
using Pipelines.Engine;
using Spectre.Console;

namespace Pipelines.Cli;

/// <summary>What a process that executes stages takes, and how it starts.</summary>
internal sealed class WorkOptions
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Option<int> slots = new("--slots") { Description = "Stages at once", DefaultValueFactory = _ => 1 };

    private readonly Option<string?> serve = new("--serve")
    {
        Description = "What it takes: cpu, gpu or cpu,gpu; by default what the machine has",
        HelpName = "groups",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(slots);
        command.Options.Add(serve);
    }

    /// <exception cref="UserException">A value is out of range.</exception>
    public (int Slots, IReadOnlyList<string>? Serve) Read(ParseResult parsed)
    {
        if (parsed.GetValue(slots) is < 1 or > 256)
            throw new UserException($"--slots {parsed.GetValue(slots)}: expected 1 to 256");
        var groups = parsed.GetValue(serve)?.Split(',', StringSplitOptions.TrimEntries);
        if (groups?.FirstOrDefault(group => group is not ("cpu" or "gpu")) is { } unknown)
            throw new UserException($"--serve {unknown}: expected cpu or gpu");
        return (parsed.GetValue(slots), groups);
    }

    /// <summary>Starts to work; an engine that cannot is closed.</summary>
    public static async Task<PipelinesEngine> StartAsync(PipelinesEngine engine, CancellationToken cancellation)
    {
        try
        {
            await engine.WorkAsync(cancellation);
            return engine;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    /// <summary>What works outlives its database, also before it has seen it for the first time.</summary>
    public static async Task<PipelinesEngine> PatientlyAsync(Func<Task<PipelinesEngine>> open, CancellationToken cancellation)
    {
        var told = false;
        while (true)
        {
            try
            {
                return await open();
            }
            catch (Exception error) when (PipelinesEngine.IsPassing(error))
            {
                if (!told)
                    Invocation.Errors.WriteLine($"{error.Message}\nwaiting for it; Ctrl-C stops");
                told = true;
            }

            await Task.Delay(Pause, cancellation);
        }
    }
}
