using System.CommandLine;
using Pipelines.Engine;
using Spectre.Console;

namespace Pipelines.Cli;

/// <summary>What a process that executes stages takes, and how it starts.</summary>
internal sealed class WorkOptions
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Option<string?> serve = new("--serve")
    {
        Description = "What it takes: cpu, gpu or cpu,gpu; by default what the machine has",
        HelpName = "groups",
    };

    private readonly Option<string?> gpus = new("--gpus")
    {
        Description = "Which GPUs it gives to stages, as 0,1; by default all",
        HelpName = "numbers",
    };

    private readonly Option<string?> slots = new("--slots")
    {
        Description = "Stages at once: 4, or cpu=4,gpu=2; by default one on the CPU and one on each GPU",
        HelpName = "numbers",
    };

    public void AddTo(Command command)
    {
        foreach (var option in new[] { serve, gpus, slots })
            command.Options.Add(option);
    }

    /// <exception cref="UserException">They cannot be had, or contradict each other.</exception>
    public Offer Read(ParseResult parsed) =>
        Offer.Read(parsed.GetValue(serve), parsed.GetValue(gpus), parsed.GetValue(slots), Offer.GpusHere());

    /// <summary>Until it is interrupted, or drained.</summary>
    /// <returns>What to say of it.</returns>
    public static async Task<string> UntilLeavingAsync(PipelinesEngine engine, CancellationToken cancellation)
    {
        var stopped = Invocation.UntilInterruptedAsync(cancellation);
        if (await Task.WhenAny(engine.Draining, stopped) != stopped)
            Console.WriteLine("drained: takes nothing any more, and leaves when what runs has ended");
        await Task.WhenAny(engine.Drained, stopped);
        return engine.Drained.IsCompleted ? "leaving" : "stopping; what runs is handed back";
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
