using System.CommandLine;
using Pipelines.Cli.Display;
using Pipelines.Engine;
using Pipelines.Engine.Schedules;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Cli.Commands;

/// <summary>Workflows that start by themselves at certain times, on whatever worker is up then.</summary>
internal static class ScheduleCommand
{
    private const int Next = 5;
    private const int Newest = 20;

    public static Command Create() => new("schedule", "Starts workflows at certain times")
    {
        ScheduleAddCommand.Create(), ScheduleEditCommand.Create(), List(), Show(), Pause(), Resume(), Remove(), Trigger(),
    };

    private static Command List()
    {
        var json = new Option<bool>("--json") { Description = "Print a line of JSON for each schedule" };
        return Place.At(new Command("list", "Lists the schedules") { json }, Work);

        async Task<int> Work(PipelinesEngine engine, ParseResult parsed, CancellationToken cancellation)
        {
            var schedules = await engine.Schedules.ListAsync(cancellation);
            if (!parsed.GetValue(json))
                ScheduleText.Write(schedules);
            foreach (var schedule in parsed.GetValue(json) ? schedules : [])
                Console.WriteLine(Json.Write(schedule).GetRawText());
            return Invocation.Success;
        }
    }

    private static Command Show()
    {
        var name = Name();
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        return Place.At(new Command("show", "Shows a schedule: its next times, and what became of the last") { name, json }, Work);

        async Task<int> Work(PipelinesEngine engine, ParseResult parsed, CancellationToken cancellation)
        {
            var schedule = await engine.Schedules.FindAsync(parsed.GetRequiredValue(name), cancellation);
            var next = ScheduleBook.NextTimes(schedule, Next);
            var history = await engine.Schedules.HistoryAsync(schedule.Name, Newest, cancellation);
            if (parsed.GetValue(json))
                Console.WriteLine(Json.Pretty(new { schedule, next, history }));
            else
                ScheduleText.Write(schedule, next, history);
            return Invocation.Success;
        }
    }

    private static Command Pause()
    {
        var name = Name();
        var reason = new Option<string?>("--reason") { Description = "Why, for whoever looks at it", HelpName = "text" };
        return Place.At(new Command("pause", "Lets its times pass until it is resumed; what runs goes on") { name, reason }, Work);

        async Task<int> Work(PipelinesEngine engine, ParseResult parsed, CancellationToken cancellation)
        {
            await engine.Schedules.PauseAsync(parsed.GetRequiredValue(name), parsed.GetValue(reason), cancellation);
            Console.WriteLine($"{parsed.GetValue(name)} is paused; go on with: pipelines schedule resume {parsed.GetValue(name)}");
            return Invocation.Success;
        }
    }

    private static Command Resume()
    {
        var name = Name();
        return Place.At(new Command("resume", "Goes on with a paused schedule at its next time") { name }, Work);

        async Task<int> Work(PipelinesEngine engine, ParseResult parsed, CancellationToken cancellation)
        {
            await engine.Schedules.ResumeAsync(parsed.GetRequiredValue(name), cancellation);
            ScheduleText.WriteNext(await engine.Schedules.FindAsync(parsed.GetRequiredValue(name), cancellation));
            return Invocation.Success;
        }
    }

    private static Command Remove()
    {
        var name = Name();
        return Place.At(new Command("remove", "Removes a schedule and its history; its runs stay") { name }, Work);

        async Task<int> Work(PipelinesEngine engine, ParseResult parsed, CancellationToken cancellation)
        {
            await engine.Schedules.RemoveAsync(parsed.GetRequiredValue(name), cancellation);
            Console.WriteLine($"{parsed.GetValue(name)} is removed");
            return Invocation.Success;
        }
    }

    private static Command Trigger()
    {
        var name = Name();
        return Place.At(new Command("trigger", "Fires a schedule now, once") { name }, Work);

        async Task<int> Work(PipelinesEngine engine, ParseResult parsed, CancellationToken cancellation)
        {
            var fire = await engine.Schedules.TriggerAsync(parsed.GetRequiredValue(name), cancellation);
            switch (fire.Outcome)
            {
                case FireOutcome.Started:
                    Console.WriteLine($"run {RunName.Short(fire.Run!.Value)} is started; the workers take it");
                    return Invocation.Success;
                case FireOutcome.Queued:
                    Console.WriteLine("it starts when the previous run has ended");
                    return Invocation.Success;
                default:
                    Invocation.Say($"nothing was started: {fire.Reason}");
                    return Invocation.RunFailed;
            }
        }
    }

    private static Argument<string> Name() => new("name") { Description = "The schedule's name" };
}
