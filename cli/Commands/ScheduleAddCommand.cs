using System.CommandLine;
using System.Text.Json;
using Pipelines.Cli.Display;
using Pipelines.Engine;
using Pipelines.Engine.Schedules;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Cli.Commands;

internal static class ScheduleAddCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "A name for the schedule" };
        var file = new Option<string?>("--file") { Description = "The workflow document; a copy is kept", HelpName = "file" };
        var published = new Option<string?>("--definition")
        {
            Description = "In place of a file, a published workflow: NAME@VERSION, or NAME for the latest at each firing",
            HelpName = "name",
        };
        var cron = new Option<string>("--cron")
        {
            Description = "When: minute hour day month weekday, as \"0 2 * * 1-5\"",
            HelpName = "fields",
            Required = true,
        };
        var zone = new Option<string>("--zone")
        {
            Description = "The time zone of these times, as Europe/Berlin",
            HelpName = "name",
            DefaultValueFactory = _ => "UTC",
        };
        var missed = Policy<MissedPolicy>("--missed", "What becomes of times at which no worker was up");
        var overlap = Policy<OverlapPolicy>("--overlap", "What becomes of a time at which its previous run still runs");
        var set = new Option<string[]>("--set")
        {
            Description = "Set a parameter of the workflow; a path latest:DIRECTORY/* is the newest of a folder at each firing",
            HelpName = "name=value",
            AllowMultipleArgumentsPerToken = false,
        };
        var command = new Command("add", "Adds a schedule") { name, file, published, cron, zone, missed, overlap, set };
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            var (path, reference) = Source(parsed.GetValue(file), parsed.GetValue(published));
            var plan = path is null ? null : Workflow.Plan(path, parsed.GetValue(set) ?? [], ScheduleBook.FullPath);
            var (ifMissed, ifRunning) = (Read<MissedPolicy>(parsed, missed), Read<OverlapPolicy>(parsed, overlap));
            await using var engine = await place.OpenAsync(parsed, cancellation);
            var (called, times, where) = (parsed.GetRequiredValue(name), parsed.GetRequiredValue(cron), parsed.GetRequiredValue(zone));
            var added = plan is not null
                ? await engine.Schedules.AddAsync(called, times, where, ifMissed, ifRunning, plan.Definition, plan.Parameters, cancellation)
                : await engine.Schedules.AddAsync(
                    called, times, where, ifMissed, ifRunning, reference!, await ValuesAsync(engine, reference!, parsed.GetValue(set) ?? [], cancellation), cancellation);
            ScheduleText.WriteNext(added);
            if (ifMissed == MissedPolicy.All && ifRunning != OverlapPolicy.Allow)
            {
                Console.WriteLine(
                    $"several missed times come at once, and --overlap {parsed.GetValue(overlap)} holds for them too; "
                    + "--overlap allow runs all");
            }

            Console.WriteLine("it starts when a worker is up then: pipelines worker" + place.Repeat(parsed));
            return Invocation.Success;
        });
        return command;
    }

    private static (string? Path, DefinitionReference? Reference) Source(string? file, string? published) => (file, published) switch
    {
        ({ } path, null) => (path, null),
        (null, { } text) => (null, DefinitionReference.Parse(text)
            ?? throw new UserException($"--definition {text}: expected NAME or NAME@VERSION")),
        _ => throw new UserException("expected one of --file and --definition"),
    };

    private static async Task<Dictionary<string, JsonElement>> ValuesAsync(
        PipelinesEngine engine, DefinitionReference reference, string[] settings, CancellationToken cancellation) =>
        Workflow.Values((await engine.Definitions.ResolveAsync(reference, cancellation)).Definition, settings, ScheduleBook.FullPath);

    private static Option<string> Policy<TPolicy>(string name, string description)
        where TPolicy : struct, Enum => new(name)
        {
            Description = $"{description}: {Words<TPolicy>()}",
            HelpName = "word",
            DefaultValueFactory = _ => Enum.GetNames<TPolicy>()[0].ToLowerInvariant(),
        };

    private static TPolicy Read<TPolicy>(ParseResult parsed, Option<string> option)
        where TPolicy : struct, Enum
    {
        try
        {
            return Json.Read<TPolicy>(Json.Write(parsed.GetValue(option)));
        }
        catch (JsonException)
        {
            throw new UserException($"{option.Name} {parsed.GetValue(option)}: expected {Words<TPolicy>()}");
        }
    }

    private static string Words<TPolicy>()
        where TPolicy : struct, Enum
    {
        var words = Enum.GetNames<TPolicy>().Select(word => word.ToLowerInvariant()).ToArray();
        return $"{string.Join(", ", words[..^1])} or {words[^1]}";
    }
}
