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
        var serve = new Option<string?>("--serve")
        {
            Description = "What it takes: cpu, gpu or cpu,gpu; by default what the machine has",
            HelpName = "groups",
        };
        var gpus = new Option<string?>("--gpus")
        {
            Description = "Which GPUs it gives to stages, as 0,1; by default all",
            HelpName = "numbers",
        };
        var slots = new Option<string?>("--slots")
        {
            Description = "Stages at once: 4, or cpu=4,gpu=2; by default one on the CPU and one on each GPU",
            HelpName = "numbers",
        };
        var command = new Command("worker", "Executes stages of the runs in the database until it is stopped") { serve, gpus, slots };
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            var offer = Offer.Read(parsed.GetValue(serve), parsed.GetValue(gpus), parsed.GetValue(slots), Offer.GpusHere());
            await using var engine = await StartAsync(() => place.OpenAsync(parsed, cancellation, offer), cancellation);
            Console.WriteLine($"working on {engine.DatabaseDescription}; Ctrl-C stops");
            var stopped = Task.Delay(Timeout.Infinite, cancellation);
            if (await Task.WhenAny(engine.Draining, stopped) != stopped)
                Console.WriteLine("drained: takes nothing any more, and leaves when what runs has ended");
            await Task.WhenAny(engine.Drained, stopped);
            Console.WriteLine(engine.Drained.IsCompleted ? "leaving" : "stopping; what runs is handed back");
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
