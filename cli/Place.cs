using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Pipelines.Activities;
using Pipelines.Cli.Commands;
using Pipelines.Engine;
using Pipelines.Storage.Artifacts;
using static TorchSharp.torch;

namespace Pipelines.Cli;

/// <summary>Where state lives: the options that every command on runs has, and the engine that they open.</summary>
internal sealed class Place
{
    private readonly Option<string?> database = new("--database")
    {
        Description = "Postgres connection string; without one a private cluster is started (PIPELINES_DATABASE)",
        HelpName = "string",
    };

    private readonly Option<string?> data = new("--data")
    {
        Description = "Folder of artifacts and of the private Postgres (PIPELINES_DATA)",
        HelpName = "folder",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(database);
        command.Options.Add(data);
    }

    /// <summary>A command that opens the engine, runs no stages, and does one thing.</summary>
    public static Command At(Command command, Func<PipelinesEngine, ParseResult, CancellationToken, Task<int>> work)
    {
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            await using var engine = await place.OpenAsync(parsed, cancellation);
            return await work(engine, parsed, cancellation);
        });
        return command;
    }

    /// <param name="offer">What this process has for stages; null when it will run none.</param>
    /// <param name="artifacts">Where the artifacts are, when not in the data folder.</param>
    public async Task<PipelinesEngine> OpenAsync(
        ParseResult parsed, CancellationToken cancellation, Offer? offer = null, ArtifactServer? artifacts = null)
    {
        var options = new EngineOptions(Database(parsed), DataFolder(parsed))
        {
            CpuSlots = offer?.CpuSlots ?? 0,
            Gpus = offer?.Gpus ?? [],
            Lease = Seconds("PIPELINES_LEASE") ?? TimeSpan.FromSeconds(30),
            Grace = Seconds("PIPELINES_GRACE") ?? TimeSpan.FromSeconds(10),
            StageProcess = offer is null ? null : StageProcessCommand.For(offer.Threads),
            CheckpointInterval = Seconds("PIPELINES_CHECKPOINTS"),
            Artifacts = artifacts,
            LoggerFactory = Logging(),
        };
        if (offer is not null)
            set_num_threads(offer.Threads);
        return await PipelinesEngine.OpenAsync(options, ActivityCatalog.Create(), cancellation);
    }

    public string? Database(ParseResult parsed) =>
        NotEmpty(parsed.GetValue(database)) ?? NotEmpty(Environment.GetEnvironmentVariable("PIPELINES_DATABASE"));

    public string DataFolder(ParseResult parsed) => Path.GetFullPath(
        NotEmpty(parsed.GetValue(data)) ?? NotEmpty(Environment.GetEnvironmentVariable("PIPELINES_DATA")) ?? Standard());

    /// <summary>The options as the user would type them again, for a command that is suggested.</summary>
    public string Repeat(ParseResult parsed) =>
        string.Concat(new[] { ("--database", parsed.GetValue(database)), ("--data", parsed.GetValue(data)) }
            .Where(option => option.Item2 is not null)
            .Select(option => $" {option.Item1} '{option.Item2}'"));

    private static string Standard()
    {
        if (Environment.UserName == "root")
            return "/var/lib/pipelines";
        var share = NotEmpty(Environment.GetEnvironmentVariable("XDG_DATA_HOME"))
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share");
        return Path.Combine(share, "pipelines");
    }

    public static ILoggerFactory Logging()
    {
        var wanted = Environment.GetEnvironmentVariable("PIPELINES_LOG");
        var least = Enum.TryParse<LogLevel>(wanted, ignoreCase: true, out var level) ? level : LogLevel.Error;
        return LoggerFactory.Create(logging => logging
            .SetMinimumLevel(least)
            .AddSimpleConsole(console => console.SingleLine = true)
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
    }

    private static TimeSpan? Seconds(string variable) => NotEmpty(Environment.GetEnvironmentVariable(variable)) switch
    {
        null => null,
        var text when double.TryParse(text, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and < 1e6 =>
            TimeSpan.FromSeconds(seconds),
        var text => throw new UserException($"{variable} is '{text}': expected seconds"),
    };

    public static string? NotEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
