using System.Text.Json;
using System.Text.RegularExpressions;

namespace Pipelines.Tests.Cli;

/// <summary>What a person does at the command line, with the real program on its private Postgres.</summary>
public sealed class JourneyTests : IDisposable
{
    private const string Synthetic = """
        {
          "name": "synthetic",
          "stages": [
            { "id": "make", "kind": "data.synthetic", "parameters": { "characters": 2000, "evaluationCharacters": 1000 } }
          ],
          "outputs": { "text": "make.data" }
        }
        """;

    private readonly Place place = new();

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task A_second_run_replaces_its_own_results_and_leaves_other_files_alone()
    {
        place.Write("make.json", Synthetic);
        Assert.Equal(0, (await place.RunAsync("run", "make.json", "--out", "results")).Code);
        place.Write("results/mine.txt", "mine");
        var changed = Synthetic.Replace("\"make.data\"", "\"make.bitsPerCharacter\"", StringComparison.Ordinal);
        place.Write("make.json", changed);

        Assert.Equal(0, (await place.RunAsync("run", "make.json", "--out", "results")).Code);

        Assert.Equal(
            ["mine.txt", "report.json"],
            Directory.EnumerateFiles(place["results"]).Select(file => Path.GetFileName(file)).Order());
    }

    [Fact]
    public async Task A_run_that_failed_goes_on_when_its_cause_is_mended()
    {
        place.Write("read.json", """
            {
              "name": "reading",
              "parameters": { "text": { "type": "path" } },
              "stages": [
                { "id": "make", "kind": "data.synthetic", "parameters": { "characters": 2000, "evaluationCharacters": 1000 } },
                { "id": "read", "kind": "data.text", "parameters": { "path": "${text}", "length": 16 } }
              ]
            }
            """);

        var failed = await place.RunAsync("run", "read.json", "--set", "text=story.txt", "--out", "results");

        Assert.Equal(1, failed.Code);
        Assert.Contains("stage read (data.text) failed", failed.Message);
        Assert.Contains(place["story.txt"], failed.Message);
        Assert.Matches("pipelines resume [0-9a-f]{8}", failed.Message);
        Assert.DoesNotContain("   at ", failed.Errors);
        Assert.DoesNotContain('\u001b', failed.Errors);

        place.Write("story.txt", string.Concat(Enumerable.Repeat("once upon a time ", 20)));
        var resumed = await place.RunAsync("resume", "last", "--out", "results");

        Assert.Equal((0, ""), (resumed.Code, resumed.Errors));
        Assert.Contains("kept: make", resumed.Output);
        Assert.Contains("will run: read", resumed.Output);
        Assert.Matches("read: succeeded", resumed.Output);
        Assert.DoesNotContain('\u001b', resumed.Output);

        using var report = JsonDocument.Parse(File.ReadAllText(place["results/report.json"]));
        Assert.Equal("reading", report.RootElement.GetProperty("workflow").GetString());
        Assert.Equal([1, 2], report.RootElement.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("attempts").GetInt32()));

        var again = await place.RunAsync("resume", "last", "--out", "results");
        Refusal.Is(again, "succeeded");
    }

    [Fact]
    public async Task Runs_again_from_a_stage_with_a_new_value_and_keeps_what_comes_before()
    {
        place.Write("make.json", """
            {
              "name": "again",
              "parameters": { "length": { "type": "integer", "default": 16 }, "seed": { "type": "integer", "default": 1 } },
              "stages": [
                { "id": "make", "kind": "data.synthetic", "parameters": { "characters": 20000, "evaluationCharacters": 1000, "seed": "${seed}" } },
                { "id": "train", "kind": "model.train",
                  "parameters": { "hidden": 16, "heads": 2, "layers": 1, "intermediate": 16, "vocabulary": 260, "steps": "${length}", "batch": 1 },
                  "inputs": { "data": "make.data" } },
                { "id": "evaluate", "kind": "evaluate.perplexity", "inputs": { "model": "train.model", "data": "make.evaluation" } }
              ]
            }
            """);
        Assert.Equal(0, (await place.RunAsync("run", "make.json", "--out", "results")).Code);

        var dry = await place.RunAsync("rerun", "last", "--from", "train", "--set", "length=3", "--dry-run");
        Assert.Equal(
            ["kept: make", "will run: train, evaluate", "thrown away: train, evaluate"], dry.Lines);
        Refusal.Is(await place.RunAsync("rerun", "last", "--from", "train", "--set", "seed=2"), "change stage 'make'", "run again from it");
        Refusal.Is(await place.RunAsync("rerun", "last", "--from", "trian"), "no stage 'trian'", "did you mean 'train'");

        var again = await place.RunAsync("rerun", "last", "--from", "train", "--set", "length=3", "--out", "results");

        Assert.Equal((0, ""), (again.Code, again.Errors));
        using var report = JsonDocument.Parse(File.ReadAllText(place["results/report.json"]));
        Assert.Equal(
            [1, 2, 2], report.RootElement.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("attempts").GetInt32()));
    }

    [Fact]
    public async Task The_suggested_command_goes_on_with_the_run_that_failed()
    {
        place.Write("read.json", """
            { "name": "reading", "stages": [{ "id": "read", "kind": "data.text", "parameters": { "path": "story.txt", "length": 16 } }] }
            """);
        var failed = await place.RunAsync("run", "read.json", "--data", "other data");
        File.WriteAllText(place["story.txt"], new string('a', 100));

        // Quotes as a shell takes them.
        var suggested = Regex.Match(failed.Message, "pipelines resume ([0-9a-f]+) --data '([^']+)'");
        var resumed = await place.RunAsync("resume", suggested.Groups[1].Value, "--data", suggested.Groups[2].Value);

        Assert.True(suggested.Success, failed.Message);
        Assert.Equal((0, ""), (resumed.Code, resumed.Errors));
    }

    [Fact]
    public async Task The_same_workflow_a_second_time_is_reused_and_a_program_can_follow_it()
    {
        place.Write("synthetic.json", Synthetic);

        var first = Events(await place.RunAsync("run", "synthetic.json", "--json"));
        var second = Events(await place.RunAsync("run", "synthetic.json", "--json"));
        var fresh = Events(await place.RunAsync("run", "synthetic.json", "--json", "--no-cache"));

        Assert.All([first, second, fresh], AssertSucceeded);
        Assert.Equal([false, true, false], new[] { first, second, fresh }.Select(Reused));
        Assert.Equal(3, new[] { first, second, fresh }.Select(run => Text(run[^1], "run")).Distinct().Count());
        Assert.True(File.Exists(place["synthetic-out/report.json"]));
        Assert.True(File.Exists(place["synthetic-out/text.txt"]));
    }

    [Fact]
    public async Task A_run_that_ended_can_be_looked_at()
    {
        place.Write("synthetic.json", Synthetic);
        await place.RunAsync("run", "synthetic.json");

        var listed = Events(await place.RunAsync("runs", "--json"));
        var table = await place.RunAsync("runs");
        var shown = await place.RunAsync("show", "last");
        var asJson = await place.RunAsync("show", "last", "--json");
        var logs = await place.RunAsync("logs", "last", "make");
        var otherLogs = await place.RunAsync("logs", "last", "mak");

        Assert.Equal("succeeded", Text(Assert.Single(listed), "state"));
        Assert.Contains("synthetic succeeded 1/1", string.Join(' ', table.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
        Assert.Contains("data.synthetic", shown.Output);
        Assert.Equal(Text(listed[0], "run"), Text(JsonElement.Parse(asJson.Output), "id"));
        Assert.Equal((0, ""), (logs.Code, logs.Errors));
        Refusal.Is(otherLogs, "no stage 'mak'", "make");
    }

    private static void AssertSucceeded(IReadOnlyList<JsonElement> events)
    {
        Assert.Equal(("run", "succeeded"), (Text(events[^1], "event"), Text(events[^1], "state")));
        Assert.All(events.SkipLast(1), one => Assert.Equal("stage", Text(one, "event")));
        Assert.Equal(("make", "succeeded"), (Text(events[^2], "stage"), Text(events[^2], "state")));
    }

    private static bool Reused(IReadOnlyList<JsonElement> events) => events[^2].GetProperty("reused").GetBoolean();

    private static List<JsonElement> Events(Ended ended)
    {
        Assert.Equal((0, ""), (ended.Code, ended.Errors));
        Assert.All(ended.Lines, line => Assert.Equal(JsonValueKind.Object, JsonElement.Parse(line).ValueKind));
        return [.. ended.Lines.Select(line => JsonElement.Parse(line))];
    }

    private static string? Text(JsonElement json, string property) => json.GetProperty(property).GetString();
}
