using System.CommandLine;
using System.Globalization;
using Pipelines.Cli.Display;
using Pipelines.Storage;
using Pipelines.Workflows;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

/// <summary>Frees the disk of artifacts that nothing needs any more.</summary>
internal static class GcCommand
{
    public static Command Create()
    {
        var age = new Option<string>("--older-than") { Description = "Only what is older: 30d, 12h, 90m", HelpName = "age", DefaultValueFactory = _ => "30d" };
        var keep = new Option<int>("--keep-last") { Description = "So many runs of each workflow keep their artifacts, however old", DefaultValueFactory = _ => 5 };
        var dry = new Option<bool>("--dry-run") { Description = "Only say what would go" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("gc", "Deletes artifacts that nothing needs any more") { age, keep, dry, json };
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            var older = Age(parsed.GetRequiredValue(age));
            if (parsed.GetValue(keep) < 0)
                throw new UserException($"--keep-last {parsed.GetValue(keep)}: expected 0 or more");
            await using var engine = await place.OpenAsync(parsed, cancellation);
            var report = await engine.CollectGarbageAsync(older, parsed.GetValue(keep), parsed.GetValue(dry), Say, cancellation);
            if (parsed.GetValue(json))
            {
                Console.WriteLine(Json.Write(report).GetRawText());
                return Invocation.Success;
            }

            if (parsed.GetValue(dry) && report.Collected.Count > 0)
            {
                var table = new Table().Border(TableBorder.None).AddColumns("ARTIFACT", "SIZE", "LAST USED");
                foreach (var artifact in report.Collected.OrderByDescending(artifact => artifact.Bytes))
                {
                    table.AddRow(
                        artifact.Hash["sha256:".Length..][..12], StageText.Bytes(artifact.Bytes),
                        artifact.Touched.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture));
                }

                AnsiConsole.Write(table);
            }

            Console.WriteLine(
                $"{report.Collected.Count} artifacts, {StageText.Bytes(report.Bytes)} "
                + $"{(parsed.GetValue(dry) ? "would go" : "are gone")}; {report.Kept} are kept");
            return Invocation.Success;
        });
        return command;
    }

    private static void Say(int done, int total)
    {
        if (done % 100 == 0 || done == total)
            Invocation.Errors.WriteLine($"{done} of {total}");
    }

    private static TimeSpan Age(string text) =>
        Duration.Read(text) ?? throw new UserException($"--older-than {text}: expected {Duration.Expected}");
}
