using System.CommandLine;
using System.Text.Json;
using Pipelines.Cli.Display;
using Pipelines.Engine;
using Pipelines.Engine.Schedules;
using Pipelines.Workflows;

namespace Pipelines.Cli.Commands;

internal static class ScheduleEditCommand
{
    public static Command Create()
    {
        var options = new ScheduleOptions(editing: true);
        var command = new Command("edit", "Changes what is named of a schedule; the rest stays, and so does its history");
        options.AddTo(command);
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            var (path, reference) = options.Source(parsed);
            var document = path is null ? null : WorkflowFile.Read(path);
            var change = new ScheduleChange(
                options.Cron(parsed), options.Zone(parsed), options.Missed(parsed), options.Overlap(parsed), reference, document);
            await using var engine = await place.OpenAsync(parsed, cancellation);
            var name = options.Name(parsed);
            if (options.Settings(parsed) is { Length: > 0 } settings)
                change = change with { Parameters = await ValuesAsync(engine, name, change, settings, cancellation) };
            var edited = await engine.Schedules.EditAsync(name, change, cancellation);
            ScheduleText.WriteNext(edited);
            ScheduleText.WriteClash(edited);
            return Invocation.Success;
        });
        return command;
    }

    /// <summary>Those that the schedule has and its workflow still takes, and what is set now.</summary>
    private static async Task<Dictionary<string, JsonElement>> ValuesAsync(
        PipelinesEngine engine, string name, ScheduleChange change, string[] settings, CancellationToken cancellation)
    {
        var schedule = await engine.Schedules.FindAsync(name, cancellation);
        var definition = change.Document
            ?? (change.Definition is { } reference
                ? (await engine.Definitions.ResolveAsync(reference, cancellation)).Definition
                : await engine.Schedules.WorkflowAsync(name, cancellation));
        var values = schedule.Parameters.Where(kept => definition.Parameters?.ContainsKey(kept.Key) == true).ToDictionary();
        foreach (var (parameter, value) in Workflow.Values(definition, settings, ScheduleBook.FullPath))
            values[parameter] = value;
        return values;
    }
}
