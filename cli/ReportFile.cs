using System.Text.Json;
using System.Text.Json.Nodes;
using Pipelines.Activities;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Cli;

/// <summary><c>report.json</c>: what a run came to, for programs.</summary>
internal static class ReportFile
{
    public const string Name = "report.json";

    /// <summary>The workflow's output that is a comparison of models, if it has one.</summary>
    public static Comparison? Comparison(RunView run) =>
        Find(run, "dense") is { } found ? Json.Read<Comparison>(found) : null;

    /// <summary>The workflow's output that ranks models, if it has one.</summary>
    public static Ranking? Ranking(RunView run) =>
        Find(run, "models") is { } found ? Json.Read<Ranking>(found) : null;

    /// <summary>The workflow's output that times two models, if it has one.</summary>
    public static SpeedComparison? Speed(RunView run) =>
        Find(run, "threads") is { } found ? Json.Read<SpeedComparison>(found) : null;

    /// <summary>The workflow's output that says how a classifier does class by class, if it has one.</summary>
    public static ClassificationScores? Scores(RunView run) =>
        Find(run, "classes") is { } found ? Json.Read<ClassificationScores>(found) : null;

    /// <summary>Whether this is a report of a run; others write files of this name too.</summary>
    public static bool IsOurs(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(path)) is JsonObject report
                && report.ContainsKey("run") && report.ContainsKey("workflow") && report.ContainsKey("stages");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return false;
        }
    }

    /// <summary>The files that a report says were written beside it: all that may be taken away for the next one.</summary>
    public static IReadOnlyList<string> Files(string path) =>
        IsOurs(path) && JsonNode.Parse(File.ReadAllText(path))!["files"] is JsonArray files
            ? [.. files.Select(file => Path.GetFileName(file!.ToString()))]
            : [];

    /// <param name="files">The names of what is written beside the report.</param>
    public static string Write(RunView run, IEnumerable<string> files)
    {
        var report = new JsonObject { ["run"] = run.Id, ["workflow"] = run.Name };
        if (Comparison(run) is { } comparison)
        {
            foreach (var (name, value) in JsonObject.Create(Json.Write(comparison))!.ToArray())
                report[name] = value?.DeepClone();
        }

        if (Ranking(run) is { } ranking)
            report["ranking"] = JsonNode.Parse(Json.Write(ranking).GetRawText());
        report["parameters"] = JsonNode.Parse(Json.Write(run.Parameters).GetRawText());
        report["files"] = new JsonArray([.. files.Order(StringComparer.Ordinal).Select(file => (JsonNode)file)]);
        report["stages"] = new JsonArray([.. run.Stages.Select(stage => (JsonNode)new JsonObject
        {
            ["id"] = stage.Id,
            ["kind"] = stage.Kind,
            ["seconds"] = stage.Seconds,
            ["reused"] = stage.Reused,
            ["attempts"] = stage.Attempt,
            ["outputs"] = stage.Outputs is { } outputs ? JsonNode.Parse(outputs.GetRawText()) : null,
        })]);
        return Json.Pretty(report) + "\n";
    }

    private static JsonElement? Find(RunView run, string member) => run.Outputs.Values
        .Where(output => output.ValueKind == JsonValueKind.Object
            && output.TryGetProperty(member, out _) && output.TryGetProperty("protocol", out _))
        .Select(output => (JsonElement?)output).FirstOrDefault();
}
