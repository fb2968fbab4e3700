using System.CommandLine;
using System.Text.Json;
using Pipelines.Cli.Display;
using Pipelines.Engine;
using Pipelines.Engine.Schedules;
using Pipelines.Workflows;

namespace Pipelines.Cli.Commands;

internal static class ScheduleAddCommand
{
    public static Command Create()
    {
        var options = new ScheduleOptions(editing: false);
        var command = new Command("add", "Adds a schedule");
        options.AddTo(command);
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            var (path, reference) = options.Source(parsed);
            var plan = path is null ? null : Workflow.Plan(path, options.Settings(parsed), ScheduleBook.FullPath);
            var (missed, overlap) = (options.Missed(parsed)!.Value, options.Overlap(parsed)!.Value);
            await using var engine = await place.OpenAsync(parsed, cancellation);
            var (name, cron, zone) = (options.Name(parsed), options.Cron(parsed)!, options.Zone(parsed)!);
            var added = plan is not null
                ? await engine.Schedules.AddAsync(name, cron, zone, missed, overlap, plan.Definition, plan.Parameters, cancellation)
                : await engine.Schedules.AddAsync(
                    name, cron, zone, missed, overlap, reference!, await ValuesAsync(engine, reference!, options.Settings(parsed), cancellation), cancellation);
            ScheduleText.WriteNext(added);
            ScheduleText.WriteClash(added);
            Console.WriteLine("it starts when a worker is up then: pipelines worker" + place.Repeat(parsed));
            return Invocation.Success;
        });
        return command;
    }

    private static async Task<Dictionary<string, JsonElement>> ValuesAsync(
        PipelinesEngine engine, DefinitionReference reference, string[] settings, CancellationToken cancellation) =>
        Workflow.Values((await engine.Definitions.ResolveAsync(reference, cancellation)).Definition, settings, ScheduleBook.FullPath);
}
