using System.CommandLine;
using Pipelines.Engine;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

/// <summary>Executes stages of whatever runs are in the database, until it is told to stop.</summary>
internal static class WorkerCommand
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var slots = new Option<int>("--slots") { Description = "Stages at once", DefaultValueFactory = _ => 1 };
        var serve = new Option<string?>("--serve")
        {
            Description = "What it takes: cpu, gpu or cpu,gpu; by default what the machine has",
            HelpName = "groups",
        };
        var command = new Command("worker", "Executes stages of the runs in the database until it is stopped") { slots, serve };
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(slots) is < 1 or > 256)
                throw new UserException($"--slots {parsed.GetValue(slots)}: expected 1 to 256");
            var groups = parsed.GetValue(serve)?.Split(',', StringSplitOptions.TrimEntries);
            if (groups?.FirstOrDefault(group => group is not ("cpu" or "gpu")) is { } unknown)
                throw new UserException($"--serve {unknown}: expected cpu or gpu");
            await using var engine = await StartAsync(
                () => place.OpenAsync(parsed, cancellation, work: true, parsed.GetValue(slots), groups), cancellation);
            Console.WriteLine($"working on {engine.DatabaseDescription}; Ctrl-C stops");
            await Task.Delay(Timeout.Infinite, cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
            Console.WriteLine("stopping; the stage that runs is handed back");
            return Invocation.Success;
        });
        return command;
    }

    /// <summary>A worker outlives its database, also before it has seen it for the first time.</summary>
    private static async Task<PipelinesEngine> StartAsync(Func<Task<PipelinesEngine>> open, CancellationToken cancellation)
    {
        var told = false;
        while (true)
        {
            PipelinesEngine? engine = null;
            try
            {
                engine = await open();
                await engine.WorkAsync(cancellation);
                return engine;
            }
            catch (Exception error)
            {
                // Also when it is told to stop while it starts: what it has begun would keep the process.
                if (engine is not null)
                    await engine.DisposeAsync();
                if (!PipelinesEngine.IsPassing(error))
                    throw;
                if (!told)
                    Invocation.Errors.WriteLine($"{error.Message}\nwaiting for it; Ctrl-C stops");
                told = true;
            }

            await Task.Delay(Pause, cancellation);
        }
    }
}
