using System.CommandLine;

namespace Pipelines.Cli.Commands;

/// <summary>Goes on with a run that failed or was cancelled, at the stages that did not succeed.</summary>
internal static class ResumeCommand
{
    public static Command Create()
    {
        var name = RunName.Argument();
        var output = new Option<string?>("--out") { Description = "Where the results go; ./NAME-out without it", HelpName = "folder" };
        var json = new Option<bool>("--json") { Description = "Print events as lines of JSON" };
        var command = new Command("resume", "Goes on with a run at the stages that did not succeed") { name, output, json };
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            await using var engine = await place.OpenAsync(parsed, cancellation, work: true);
            var run = await engine.Runs.FindAsync(parsed.GetRequiredValue(name), cancellation);
            var results = ResultFolder.At(parsed.GetValue(output) ?? $"{run.Name}-out");
            results.Create();
            await engine.WorkAsync(cancellation);
            var summary = await engine.ResumeRunAsync(run.Id, cancellation);
            if (!parsed.GetValue(json))
            {
                Console.WriteLine(
                    $"kept: {Names(summary.Kept)}\nwill run: {Names(summary.WillRun)}");
            }

            return await new RunFollower(engine, run.Id, results, parsed.GetValue(json), place.Repeat(parsed))
                .FollowAsync(cancellation);
        });
        return command;
    }

    private static string Names(IReadOnlyCollection<string> stages) => stages.Count == 0 ? "nothing" : string.Join(", ", stages);
}

/// <summary>How a run is named on the command line.</summary>
internal static class RunName
{
    public static Argument<string> Argument() =>
        new("run") { Description = "The run's id, its start or end, or 'last'" };

    /// <summary>The end of the id: its start is a time, and alike for runs of the same minute.</summary>
    public static string Short(Guid run) => run.ToString("N")[^8..];
}
