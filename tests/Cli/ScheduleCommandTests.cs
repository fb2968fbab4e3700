using System.Text.Json;

namespace Pipelines.Tests.Cli;

/// <summary>Schedules at the command line, with the real program on its private Postgres.</summary>
public sealed class ScheduleCommandTests : IDisposable
{
    private const string Workflow = """
        {
          "name": "synthetic",
          "parameters": { "model": { "type": "path", "default": "/models" }, "length": { "type": "integer", "default": 2000 } },
          "stages": [
            { "id": "make", "kind": "data.synthetic", "parameters": { "characters": "${length}", "evaluationCharacters": 1000 } }
          ]
        }
        """;

    private readonly Place place = new();

    public ScheduleCommandTests() => place.Write("w.json", Workflow);

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task A_schedule_is_added_looked_at_paused_triggered_and_removed()
    {
        var none = await place.RunAsync("schedule", "list");
        var added = await AddAsync(
            "0 2 * * 1-5", "--zone", "Europe/Berlin", "--missed", "once", "--overlap", "queue", "--set", "model=latest:models/*");
        var twice = await AddAsync("0 3 * * *");
        var listed = await place.RunAsync("schedule", "list");
        var nothing = await place.RunAsync("schedule", "trigger", "nightly");
        Directory.CreateDirectory(place["models/one"]);
        var triggered = await place.RunAsync("schedule", "trigger", "nightly");
        var queued = await place.RunAsync("schedule", "trigger", "nightly");
        var shown = await place.RunAsync("schedule", "show", "nightly");
        var asJson = await place.RunAsync("schedule", "show", "nightly", "--json");
        var paused = await place.RunAsync("schedule", "pause", "nightly", "--reason", "the disk is full");
        var whilePaused = await place.RunAsync("schedule", "show", "nightly");
        var resumed = await place.RunAsync("schedule", "resume", "nightly");
        var again = await place.RunAsync("schedule", "resume", "nightly");
        var removed = await place.RunAsync("schedule", "remove", "nightly");
        var gone = await place.RunAsync("schedule", "show", "nightly");

        Assert.All([none, added, listed, triggered, queued, shown, asJson, paused, resumed, removed], ended => Assert.Equal((0, ""), (ended.Code, ended.Errors)));
        Assert.Contains("no schedules yet", none.Output);
        Assert.Matches(@"nightly: synthetic, next (Mon|Tue|Wed|Thu|Fri) \d{4}-\d\d-\d\d 02:00 \+0[12]:00", added.Output);
        Refusal.Is(twice, "there is a schedule 'nightly' already");
        Assert.Matches("nightly +synthetic +0 2 \\* \\* 1-5 +Europe/Berlin +once +queue +", listed.Output);
        Assert.Equal((1, ""), (nothing.Code, nothing.Output));
        Assert.Contains($"latest:{place["models"]}/*: {place["models"]} cannot be read", nothing.Message);
        Assert.Matches("run [0-9a-f]{8} is started", triggered.Output);
        Assert.Contains("starts when the previous run has ended", queued.Output);
        Assert.Equal(5, shown.Lines.Count(line => line.StartsWith("  next ", StringComparison.Ordinal)));
        Assert.Contains("started, triggered", shown.Output);
        Assert.Contains("queued, triggered", shown.Output);
        Assert.Contains("failed, triggered", shown.Output);
        Assert.Equal(
            ["queued", "started", "failed"],
            JsonElement.Parse(asJson.Output).GetProperty("history").EnumerateArray().Select(fire => fire.GetProperty("outcome").GetString()));
        Assert.Contains("the disk is full", whilePaused.Output);
        Assert.Contains("the schedule was paused", whilePaused.Output);
        Assert.DoesNotContain("  next ", whilePaused.Output);
        Assert.Contains("next", resumed.Output);
        Refusal.Is(again, "'nightly' is not paused");
        Refusal.Is(gone, "there is no schedule 'nightly'");
    }

    [Fact]
    public async Task A_schedule_is_edited_and_keeps_what_is_not_named()
    {
        await AddAsync("0 2 * * 1-5", "--zone", "Europe/Berlin", "--missed", "once", "--set", "length=3000");
        place.Write("other.json", Workflow.Replace("\"model\": { \"type\": \"path\", \"default\": \"/models\" }, ", ""));

        var edited = await place.RunAsync("schedule", "edit", "nightly", "--cron", "30 4 * * *", "--missed", "all", "--set", "model=latest:models/*");
        var shown = await place.RunAsync("schedule", "show", "nightly");
        var another = await place.RunAsync("schedule", "edit", "nightly", "--file", "other.json");
        var asJson = JsonElement.Parse((await place.RunAsync("schedule", "show", "nightly", "--json")).Output).GetProperty("schedule");

        Assert.All([edited, shown, another], ended => Assert.Equal((0, ""), (ended.Code, ended.Errors)));
        Assert.Matches(@"nightly: synthetic, next \w{3} \d{4}-\d\d-\d\d 04:30 \+0[12]:00", edited.Output);
        Assert.Contains("--overlap allow runs all", edited.Output);
        Assert.Contains("at '30 4 * * *' in Europe/Berlin", shown.Output);
        Assert.Contains("missed: all, overlap: skip", shown.Output);
        Assert.Contains("3000", shown.Output);
        Assert.Contains($"latest:{place["models"]}/*", shown.Output);
        Assert.Equal("""{"length":3000}""", asJson.GetProperty("parameters").GetRawText().Replace(" ", "").Replace("\n", ""));
        Refusal.Is(await place.RunAsync("schedule", "edit", "nightli", "--cron", "0 2 * * *"), "there is no schedule 'nightli' (did you mean 'nightly'?)");
        Refusal.Is(await place.RunAsync("schedule", "edit", "nightly", "--cron", "0 25 * * *"), "the hour is '25'");
        Refusal.Is(await place.RunAsync("schedule", "edit", "nightly", "--file", "w.json", "--definition", "w"), "expected one of --file and --definition");
    }

    [Fact]
    public async Task What_is_wrong_is_refused_in_plain_words()
    {
        Refusal.Is(await AddAsync("0 25 * * *"), "the cron '0 25 * * *'", "the hour is '25', expected 0 to 23");
        Refusal.Is(await AddAsync("0 2 * *"), "4 fields, expected 5: minute hour day month weekday");
        Refusal.Is(await AddAsync("0 2 * * *", "--zone", "Europe/Berln"), "did you mean 'Europe/Berlin'?");
        Refusal.Is(await AddAsync("0 2 * * *", "--missed", "never"), "--missed never: expected skip, once or all");
        Refusal.Is(await AddAsync("0 2 * * *", "--set", "length=many"), "'length' is \"many\": expected integer");
        Refusal.Is(await AddAsync("0 2 * * *", "--set", "model=latest:models"), "'model' is 'latest:", "expected latest:DIRECTORY/*");
        Refusal.Is(await place.RunAsync("schedule", "add", "a b", "--file", "w.json", "--cron", "0 2 * * *"), "the name 'a b'");
        Refusal.Is(await place.RunAsync("schedule", "add", "a", "--file", "none.json", "--cron", "0 2 * * *"), "none.json", "cannot be read");
        await AddAsync("0 2 * * *");
        Refusal.Is(await place.RunAsync("schedule", "trigger", "nightli"), "there is no schedule 'nightli' (did you mean 'nightly'?)");
        Refusal.Is(await place.RunAsync("schedule", "pause", "nightli"), "there is no schedule 'nightli'");
        Refusal.Is(await place.RunAsync("schedule", "remove", "nightli"), "there is no schedule 'nightli'");
    }

    private Task<Ended> AddAsync(string cron, params string[] more) =>
        place.RunAsync(["schedule", "add", "nightly", "--file", "w.json", "--cron", cron, .. more]);
}
