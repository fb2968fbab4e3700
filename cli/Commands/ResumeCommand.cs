using System.CommandLine;
using Pipelines.Engine;
using Pipelines.Storage;

namespace Pipelines.Cli.Commands;

/// <summary>Goes on with a run: at what did not succeed (<c>resume</c>), or from a chosen stage (<c>rerun</c>).</summary>
internal static class ResumeCommand
{
    public static Command Create() => Build(
        new Command("resume", "Goes on with a run at the stages that did not succeed"), (_, _) => new RunAgain());

    public static Command CreateRerun()
    {
        var from = new Option<string>("--from") { Description = "The first stage to run again", HelpName = "stage", Required = true };
        var only = new Option<bool>("--only") { Description = "Only this stage; what it feeds keeps its results" };
        var set = new Option<string[]>("--set") { Description = "A new value of a parameter, as sparsity=0.6; may be repeated", HelpName = "name=value" };
        return Build(
            new Command("rerun", "Runs a run again from a stage; what comes before it is kept") { from, only, set },
            (parsed, run) => new RunAgain(
                parsed.GetRequiredValue(from), parsed.GetValue(only), Workflow.Values(run.Definition, parsed.GetValue(set) ?? [])));
    }

    private static Command Build(Command command, Func<ParseResult, RunView, RunAgain> read)
    {
        var name = RunName.Argument();
        var output = new Option<string?>("--out") { Description = "Where the results go; ./NAME-out without it", HelpName = "folder" };
        var dry = new Option<bool>("--dry-run") { Description = "Only say what would be done" };
        var json = new Option<bool>("--json") { Description = "Print events as lines of JSON" };
        command.Arguments.Add(name);
        foreach (var option in new Option[] { output, dry, json })
            command.Options.Add(option);
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            await using var engine = await place.OpenAsync(parsed, cancellation, Offer.All());
            var run = await engine.Runs.FindAsync(parsed.GetRequiredValue(name), cancellation);
            var again = read(parsed, run);
            var summary = await engine.PreviewResetAsync(run.Id, again, cancellation);
            if (!parsed.GetValue(json))
                Say(summary);
            if (parsed.GetValue(dry))
                return Invocation.Success;

            var results = ResultFolder.At(parsed.GetValue(output) ?? $"{run.Name}-out");
            results.Create();
            await engine.ResetRunAsync(run.Id, again, cancellation);
            await engine.WorkAsync(cancellation);
            return await new RunFollower(engine, run.Id, results, parsed.GetValue(json), place.Repeat(parsed))
                .FollowAsync(cancellation);
        });
        return command;
    }

    private static void Say(ResetSummary summary)
    {
        Line("kept", summary.Kept);
        Line("will run", summary.WillRun);
        Line("thrown away", summary.ThrownAway);
        Line("goes on", [.. summary.GoesOn.Select(stage => $"{stage.Key} after step {stage.Value}")]);

        static void Line(string title, IReadOnlyCollection<string> stages)
        {
            if (stages.Count > 0)
                Console.WriteLine($"{title}: {string.Join(", ", stages)}");
        }
    }
}

/// <summary>How a run is named on the command line.</summary>
internal static class RunName
{
    public static Argument<string> Argument() =>
        new("run") { Description = "The run's id, its start or end, or 'last'" };

    /// <summary>The end of the id: its start is a time, and alike for runs of the same minute.</summary>
    public static string Short(Guid run) => run.ToString("N")[^8..];
}
