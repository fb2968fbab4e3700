using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Web;

public sealed class SchedulesApiTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_preview_gives_the_times_of_the_zone()
    {
        await using var server = await StartAsync();

        var times = await JsonAsync(server.Client(token: null), "api/schedules/preview", new { cron = "30 2 * * 1-5", zone = "Europe/Berlin", count = 7 });

        var berlin = times.GetProperty("times").EnumerateArray()
            .Select(time => TimeZoneInfo.ConvertTimeBySystemTimeZoneId(time.GetDateTimeOffset(), "Europe/Berlin")).ToArray();
        Assert.Equal(7, berlin.Length);
        Assert.All(berlin, time => Assert.Equal((2, 30), (time.Hour, time.Minute)));
        Assert.All(berlin, time => Assert.InRange(time.DayOfWeek, DayOfWeek.Monday, DayOfWeek.Friday));
        Assert.Equal(berlin.Order(), berlin);
    }

    [Theory]
    [InlineData("0 25 * * *", "UTC", 5, "cron", 1, "the hour is '25', expected 0 to 23")]
    [InlineData("0 2 * *", "UTC", 5, "cron", null, "4 fields, expected 5")]
    [InlineData("0 2 * * MOO", "UTC", 5, "cron", 4, "the weekday is 'MOO'")]
    [InlineData("0 2 * * *", "Europe/Berlim", 5, "zone", null, "did you mean 'Europe/Berlin'")]
    [InlineData("0 2 * * *", "UTC", 0, "count", null, "count is 0: expected 1 to 100")]
    public async Task What_is_wrong_with_a_cron_is_said_with_its_place(string cron, string zone, int count, string field, int? part, string said)
    {
        await using var server = await StartAsync();

        using var refused = await server.Client(token: null).PostAsJsonAsync("api/schedules/preview", new { cron, zone, count }, Cancellation);

        await Problem.IsAsync(refused, HttpStatusCode.UnprocessableEntity, said);
        var problem = JsonElement.Parse(await refused.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.Equal(part, problem.TryGetProperty("part", out var found) ? found.GetInt32() : null);
    }

    [Fact]
    public async Task A_schedule_of_a_document_is_added_looked_at_paused_resumed_triggered_and_removed()
    {
        await using var server = await StartAsync();
        var client = server.Client(token: null);
        var document = new { name = "toy", parameters = new { n = new { type = "number" } }, stages = new[] { new { id = "a", kind = "toy.number", parameters = new { value = "${n}" } } } };

        var added = await JsonAsync(client, "api/schedules", new { name = "by-document", cron = "0 2 * * *", zone = "Europe/Berlin", overlap = "queue", document, parameters = new { n = 3 } });
        using var twice = await client.PostAsJsonAsync("api/schedules", new { name = "by-document", cron = "0 2 * * *", document, parameters = new { n = 3 } }, Cancellation);
        using var faulty = await client.PostAsJsonAsync("api/schedules", new { name = "faulty", cron = "0 2 * * *", document }, Cancellation);
        using var neither = await client.PostAsJsonAsync("api/schedules", new { name = "neither", cron = "0 2 * * *" }, Cancellation);
        var paused = await JsonAsync(client, "api/schedules/by-document/pause", new { reason = "the disk is full" });
        var resumed = await JsonAsync(client, "api/schedules/by-document/resume", null);
        using var notPaused = await client.PostAsync("api/schedules/by-document/resume", null, Cancellation);
        var fired = await JsonAsync(client, "api/schedules/by-document/trigger", null);
        var history = JsonElement.Parse(await client.GetStringAsync("api/schedules/by-document/history?limit=5", Cancellation));
        var listed = JsonElement.Parse(await client.GetStringAsync("api/schedules", Cancellation)).EnumerateArray().Single(one => one.GetProperty("name").GetString() == "by-document");
        using var removed = await client.DeleteAsync("api/schedules/by-document", Cancellation);
        using var gone = await client.GetAsync("api/schedules/by-document/history", Cancellation);

        Assert.Equal(("toy", "once", "queue", 5), (added.GetProperty("workflow").GetString(), added.GetProperty("missed").GetString(), added.GetProperty("overlap").GetString(), added.GetProperty("next").GetArrayLength()));
        await Problem.IsAsync(twice, HttpStatusCode.Conflict, "there is a schedule 'by-document' already");
        await Problem.IsAsync(faulty, HttpStatusCode.UnprocessableEntity, "parameter 'n' must be set");
        await Problem.IsAsync(neither, HttpStatusCode.BadRequest, "expected one of definition");
        Assert.Equal(("the disk is full", 0), (paused.GetProperty("pauseReason").GetString(), paused.GetProperty("next").GetArrayLength()));
        Assert.False(resumed.TryGetProperty("pausedAt", out _));
        await Problem.IsAsync(notPaused, HttpStatusCode.Conflict, "'by-document' is not paused");
        Assert.Equal(("started", true), (fired.GetProperty("outcome").GetString(), fired.GetProperty("triggered").GetBoolean()));
        Assert.Equal(fired.GetProperty("run").GetString(), Assert.Single(history.EnumerateArray()).GetProperty("run").GetString());
        Assert.Equal("started", listed.GetProperty("last").GetProperty("outcome").GetString());
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        await Problem.IsAsync(gone, HttpStatusCode.NotFound, "there is no schedule 'by-document'");
    }

    [Fact]
    public async Task A_schedule_starts_the_version_that_it_names_or_the_one_that_is_the_latest_then()
    {
        await using var server = await StartAsync();
        var client = server.Client(token: null);
        await PublishAsync(server, 1, 0);
        await JsonAsync(client, "api/schedules", new { name = "pinned", cron = "0 2 * * *", definition = "nightly", version = 1 });
        var latest = await JsonAsync(client, "api/schedules", new { name = "latest", cron = "0 2 * * *", definition = "nightly" });
        using var unknown = await client.PostAsJsonAsync("api/schedules", new { name = "no", cron = "0 2 * * *", definition = "nightli" }, Cancellation);
        await PublishAsync(server, 2, 1);

        var runs = new List<RunView>();
        foreach (var name in new[] { "pinned", "latest" })
        {
            var fired = await JsonAsync(client, $"api/schedules/{name}/trigger", null);
            runs.Add((await server.Engine.Runs.FindAsync(fired.GetProperty("run").GetGuid(), Cancellation))!);
        }

        using var used = await client.DeleteAsync("api/definitions/nightly", Cancellation);

        Assert.Equal([1, 2], runs.Select(run => run.Definition.Stages[0].Parameters!.Value.GetProperty("value").GetInt32()));
        await using var database = await Database.OpenAsync(fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation);
        await using var db = database.Create();
        Assert.Equal([1, 2], runs.Select(run => db.Runs.Single(row => row.Id == run.Id).DefinitionVersion));
        Assert.Equal(("nightly", "nightly", false), (latest.GetProperty("definition").GetString(), latest.GetProperty("workflow").GetString(), latest.TryGetProperty("version", out _)));
        await Problem.IsAsync(unknown, HttpStatusCode.NotFound, "there is no definition 'nightli' (did you mean 'nightly'?)");
        await Problem.IsAsync(used, HttpStatusCode.Conflict, "in use by schedule");
    }

    [Fact]
    public async Task Forty_who_trigger_one_schedule_at_once_all_hear_what_became_of_it()
    {
        await using var server = await StartAsync();
        await server.Engine.Schedules.AddAsync(
            "stampede", "0 2 * * *", "UTC", MissedPolicy.Skip, OverlapPolicy.Skip, Toys.Plan(Toys.Number("a", 1)).Definition,
            new Dictionary<string, JsonElement>(), Cancellation);
        var client = server.Client(token: null);

        var fires = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => JsonAsync(client, "api/schedules/stampede/trigger", null)));

        Assert.Single(fires, fire => fire.GetProperty("outcome").GetString() == "started");
    }

    [Fact]
    public async Task The_list_has_the_last_time_of_each_and_none_of_who_had_none()
    {
        await using var server = await StartAsync();
        var client = server.Client(token: null);
        foreach (var name in new[] { "last-none", "last-one", "last-two" })
        {
            await server.Engine.Schedules.AddAsync(
                name, "0 2 * * *", "UTC", MissedPolicy.Skip, OverlapPolicy.Allow, Toys.Plan(Toys.Number("a", 1)).Definition,
                new Dictionary<string, JsonElement>(), Cancellation);
        }

        await JsonAsync(client, "api/schedules/last-two/trigger", null);
        var one = await JsonAsync(client, "api/schedules/last-one/trigger", null);
        var two = await JsonAsync(client, "api/schedules/last-two/trigger", null);
        var listed = JsonElement.Parse(await client.GetStringAsync("api/schedules", Cancellation)).EnumerateArray()
            .Where(schedule => schedule.GetProperty("name").GetString()!.StartsWith("last-", StringComparison.Ordinal))
            .Select(schedule => schedule.TryGetProperty("last", out var last) ? last.GetProperty("run").GetString() : null);

        Assert.Equal([null, one.GetProperty("run").GetString(), two.GetProperty("run").GetString()], listed);
    }

    [Fact]
    public async Task A_schedule_is_edited_checked_as_when_it_was_added_and_the_edit_is_written_down()
    {
        await using var server = await StartAsync();
        var client = server.Client(token: null);
        await PublishAsync(server, 1, 0, "edited");
        await JsonAsync(client, "api/schedules", new { name = "edited", cron = "0 2 * * *", definition = "edited", overlap = "queue" });
        var fired = await JsonAsync(client, "api/schedules/edited/trigger", null);

        var edited = await PutAsync("edited", new { cron = "30 4 * * *", zone = "Europe/Berlin", missed = "all", definition = "edited", version = 1 });
        using var zone = await client.PutAsJsonAsync("api/schedules/edited", new { zone = "Europe/Berlim" }, Cancellation);
        using var cron = await client.PutAsJsonAsync("api/schedules/edited", new { cron = "0 25 * * *" }, Cancellation);
        using var value = await client.PutAsJsonAsync("api/schedules/edited", new { parameters = new { n = 3 } }, Cancellation);
        using var named = await client.PutAsJsonAsync("api/schedules/edited", new { name = "other" }, Cancellation);
        using var version = await client.PutAsJsonAsync("api/schedules/edited", new { version = 1 }, Cancellation);
        using var unknown = await client.PutAsJsonAsync("api/schedules/edite", new { cron = "0 2 * * *" }, Cancellation);
        var kept = await PutAsync("edited", new { overlap = "allow" });
        var history = JsonElement.Parse(await client.GetStringAsync("api/schedules/edited/history", Cancellation));
        var audit = JsonElement.Parse(await client.GetStringAsync("api/audit", Cancellation)).EnumerateArray()
            .Where(line => line.GetProperty("action").GetString() == "PUT /api/schedules/{}").Select(line => line.GetProperty("status").GetInt32());

        Assert.Equal(
            ("30 4 * * *", "Europe/Berlin", "all", "queue", 1),
            (edited.GetProperty("cron").GetString(), edited.GetProperty("zone").GetString(), edited.GetProperty("missed").GetString(),
                edited.GetProperty("overlap").GetString(), edited.GetProperty("version").GetInt32()));
        Assert.All(edited.GetProperty("next").EnumerateArray(), next => Assert.Equal(
            (4, 30), (TimeZoneInfo.ConvertTimeBySystemTimeZoneId(next.GetDateTimeOffset(), "Europe/Berlin").Hour, next.GetDateTimeOffset().Minute)));
        Assert.Equal(("30 4 * * *", "allow", 1), (kept.GetProperty("cron").GetString(), kept.GetProperty("overlap").GetString(), kept.GetProperty("version").GetInt32()));
        await Problem.IsAsync(zone, HttpStatusCode.UnprocessableEntity, "did you mean 'Europe/Berlin'");
        await Problem.IsAsync(cron, HttpStatusCode.UnprocessableEntity, "the hour is '25'");
        await Problem.IsAsync(value, HttpStatusCode.UnprocessableEntity, "parameter 'n'");
        await Problem.IsAsync(named, HttpStatusCode.BadRequest, "unknown property 'name'");
        await Problem.IsAsync(version, HttpStatusCode.BadRequest, "expected one of definition");
        await Problem.IsAsync(unknown, HttpStatusCode.NotFound, "there is no schedule 'edite' (did you mean 'edited'?)");
        Assert.Equal(fired.GetProperty("run").GetString(), Assert.Single(history.EnumerateArray()).GetProperty("run").GetString());
        Assert.Equal([200, 404, 400, 400, 422, 422, 422, 200], audit);

        async Task<JsonElement> PutAsync(string name, object body)
        {
            using var answer = await client.PutAsJsonAsync($"api/schedules/{name}", body, Cancellation);
            var text = await answer.Content.ReadAsStringAsync(Cancellation);
            Assert.True(answer.IsSuccessStatusCode, text);
            return JsonElement.Parse(text);
        }
    }

    private static async Task PublishAsync(TestServer server, int value, int revision, string name = "nightly")
    {
        var document = JsonSerializer.SerializeToElement(new { name, stages = new[] { new { id = "a", kind = "toy.number", parameters = new { value } } } });
        await server.Engine.Definitions.SaveAsync(name, document, revision, null, Cancellation);
        await server.Engine.Definitions.PublishAsync(name, null, null, Cancellation);
    }

    private static async Task<JsonElement> JsonAsync(HttpClient client, string path, object? body)
    {
        using var answer = body is null ? await client.PostAsync(path, null, Cancellation) : await client.PostAsJsonAsync(path, body, Cancellation);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonElement.Parse(text);
    }

    private Task<TestServer> StartAsync() => TestServer.StartAsync(fresh, token: null, catalog: Toys.Catalog());
}
