using System.CommandLine;
using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Cli.Commands;

/// <summary>What a schedule is made of, at the command line.</summary>
/// <param name="editing">Whether what is not named stays as it is, instead of having a default.</param>
internal sealed class ScheduleOptions(bool editing)
{
    private readonly Argument<string> name = new("name") { Description = editing ? "The schedule's name" : "A name for the schedule" };
    private readonly Option<string?> file = new("--file") { Description = "The workflow document; a copy is kept", HelpName = "file" };
    private readonly Option<string?> published = new("--definition")
    {
        Description = "In place of a file, a published workflow: NAME@VERSION, or NAME for the latest at each firing",
        HelpName = "name",
    };
    private readonly Option<string?> cron = new("--cron")
    {
        Description = "When: minute hour day month weekday, as \"0 2 * * 1-5\"",
        HelpName = "fields",
        Required = !editing,
    };
    private readonly Option<string?> zone = new("--zone")
    {
        Description = "The time zone of these times, as Europe/Berlin",
        HelpName = "name",
        DefaultValueFactory = _ => editing ? null : "UTC",
    };
    private readonly Option<string?> missed = Policy<MissedPolicy>("--missed", "What becomes of times at which no worker was up", editing);
    private readonly Option<string?> overlap =
        Policy<OverlapPolicy>("--overlap", "What becomes of a time at which its previous run still runs", editing);
    private readonly Option<string[]> set = new("--set")
    {
        Description = "Set a parameter of the workflow; a path latest:DIRECTORY/* is the newest of a folder at each firing",
        HelpName = "name=value",
        AllowMultipleArgumentsPerToken = false,
    };

    public void AddTo(Command command)
    {
        command.Add(name);
        foreach (var option in new Option[] { file, published, cron, zone, missed, overlap, set })
            command.Add(option);
    }

    public string Name(ParseResult parsed) => parsed.GetRequiredValue(name);

    public string? Cron(ParseResult parsed) => parsed.GetValue(cron);

    public string? Zone(ParseResult parsed) => parsed.GetValue(zone);

    public MissedPolicy? Missed(ParseResult parsed) => Read<MissedPolicy>(parsed, missed);

    public OverlapPolicy? Overlap(ParseResult parsed) => Read<OverlapPolicy>(parsed, overlap);

    public string[] Settings(ParseResult parsed) => parsed.GetValue(set) ?? [];

    /// <summary>Neither when an edit leaves the workflow as it is.</summary>
    /// <exception cref="UserException">Both are named, or neither of what is to be added.</exception>
    public (string? Path, DefinitionReference? Reference) Source(ParseResult parsed) => (parsed.GetValue(file), parsed.GetValue(published)) switch
    {
        ({ } path, null) => (path, null),
        (null, { } text) => (null, DefinitionReference.Parse(text)
            ?? throw new UserException($"--definition {text}: expected NAME or NAME@VERSION")),
        (null, null) when editing => (null, null),
        _ => throw new UserException("expected one of --file and --definition"),
    };

    private static Option<string?> Policy<TPolicy>(string name, string description, bool editing)
        where TPolicy : struct, Enum => new(name)
        {
            Description = $"{description}: {Words<TPolicy>()}",
            HelpName = "word",
            DefaultValueFactory = _ => editing ? null : Enum.GetNames<TPolicy>()[0].ToLowerInvariant(),
        };

    private static TPolicy? Read<TPolicy>(ParseResult parsed, Option<string?> option)
        where TPolicy : struct, Enum
    {
        if (parsed.GetValue(option) is not { } word)
            return null;
        try
        {
            return Json.Read<TPolicy>(Json.Write(word));
        }
        catch (JsonException)
        {
            throw new UserException($"{option.Name} {word}: expected {Words<TPolicy>()}");
        }
    }

    private static string Words<TPolicy>()
        where TPolicy : struct, Enum
    {
        var words = Enum.GetNames<TPolicy>().Select(word => word.ToLowerInvariant()).ToArray();
        return $"{string.Join(", ", words[..^1])} or {words[^1]}";
    }
}
