using System.CommandLine;

namespace Pipelines.Cli.Commands;

internal static class DrainCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("worker") { Description = "The worker's id, or a part that no other one has" };
        var now = new Option<bool>("--now") { Description = "Hand what it runs to others, at the next checkpoint, instead of finishing it" };
        var command = new Command("drain", "Lets a worker take nothing any more, finish what it runs, and leave") { name, now };
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            var handBack = parsed.GetValue(now);
            await using var engine = await place.OpenAsync(parsed, cancellation);
            var worker = await engine.DrainAsync(parsed.GetRequiredValue(name), handBack, cancellation);
            var running = worker.Stages.Count switch
            {
                0 => "it runs nothing, and leaves",
                1 => $"it {(handBack ? "hands back" : "finishes")} the stage that it runs, and leaves",
                var count => $"it {(handBack ? "hands back" : "finishes")} the {count} stages that it runs, and leaves",
            };
            Console.WriteLine($"worker {worker.Id} takes nothing any more; {running}");
            return Invocation.Success;
        });
        return command;
    }
}
