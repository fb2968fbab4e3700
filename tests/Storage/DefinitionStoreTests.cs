using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Storage;

public sealed class DefinitionStoreTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private Database database = null!;
    private DefinitionStore definitions = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = await Database.OpenAsync(fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation);
        definitions = new DefinitionStore(database);
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync($"TRUNCATE pipelines.definitions, pipelines.definition_versions, pipelines.schedules, pipelines.runs CASCADE", Cancellation);
    }

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    [Fact]
    public async Task A_draft_is_kept_as_it_came_right_or_wrong()
    {
        const string draft = """{"stages":  [1, {"id": null}], "b": 1, "a": 1.50, "unknown": {"é": []}}""";

        Assert.Equal(1, await SaveAsync("w", draft, 0));

        await using var db = database.Create();
        Assert.Equal(draft, await db.Definitions.Select(row => row.Draft).SingleAsync(Cancellation));
        var summary = Assert.Single(await definitions.ListAsync(Cancellation));
        Assert.Equal(("w", 1, null, true, "me"), (summary.Name, summary.Revision, summary.Published, summary.Changed, summary.UpdatedBy));
    }

    [Fact]
    public async Task Of_twenty_who_save_the_same_revision_one_does_and_the_others_learn_what_stands()
    {
        await SaveAsync("w", """{"by": "nobody"}""", 0);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(async Task<(int Saved, DefinitionException? Conflict)> (i) =>
        {
            try
            {
                return (await SaveAsync("w", $$"""{"by": {{i}}}""", 1), null);
            }
            catch (DefinitionException conflict)
            {
                return (0, conflict);
            }
        }));

        var saved = Assert.Single(outcomes, outcome => outcome.Conflict is null);
        Assert.Equal(2, saved.Saved);
        var stands = (await definitions.FindAsync("w", Cancellation))!;
        Assert.Equal(outcomes.IndexOf(saved), stands.Definition.GetProperty("by").GetInt32());
        Assert.All(outcomes.Where(outcome => outcome.Conflict is not null), outcome =>
        {
            Assert.Equal(DefinitionFault.Changed, outcome.Conflict!.Fault);
            Assert.Equal(2, outcome.Conflict.Current!.Revision);
            Assert.Equal(stands.Definition.GetRawText(), outcome.Conflict.Current.Definition.GetRawText());
        });
    }

    [Fact]
    public async Task Saving_as_new_what_there_is_and_as_old_what_there_is_not_is_refused()
    {
        await SaveAsync("prune", "{}", 0);

        var taken = await RefusedAsync(() => SaveAsync("prune", "{}", 0));
        var unknown = await RefusedAsync(() => SaveAsync("prunes", "{}", 3));

        Assert.Equal((DefinitionFault.Changed, 1), (taken.Fault, taken.Current!.Revision));
        Assert.Equal(DefinitionFault.Unknown, unknown.Fault);
        Assert.Contains("there is no definition 'prunes' (did you mean 'prune'?)", unknown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(" a")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a@2")]
    [InlineData("..")]
    [InlineData("a\nb")]
    public async Task A_name_that_cannot_be_one_is_refused(string name)
    {
        var refused = await RefusedAsync(() => SaveAsync(name, "{}", 0));

        Assert.Equal(DefinitionFault.Invalid, refused.Fault);
        Assert.Contains("expected 1 to 100 characters", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_of_a_hundred_characters_is_one_and_of_one_more_is_none()
    {
        await SaveAsync(new string('n', 100), "{}", 0);

        Assert.Equal(DefinitionFault.Invalid, (await RefusedAsync(() => SaveAsync(new string('n', 101), "{}", 0))).Fault);
    }

    [Theory]
    [InlineData("[]", DefinitionFault.Invalid, "the document is array: expected an object")]
    [InlineData("""{"a": "\u0000"}""", DefinitionFault.Invalid, "cannot be kept")]
    [InlineData("""{"a": "\ud800"}""", DefinitionFault.Invalid, "cannot be kept")]
    public async Task A_document_that_cannot_be_kept_is_refused(string draft, DefinitionFault fault, string said)
    {
        var refused = await RefusedAsync(() => SaveAsync("w", draft, 0));

        Assert.Equal(fault, refused.Fault);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.Empty(await definitions.ListAsync(Cancellation));
    }

    [Fact]
    public async Task A_document_may_have_ten_megabytes_and_not_one_byte_more()
    {
        var around = """{"a":""}""".Length;

        await SaveAsync("large", $$"""{"a":"{{new string('x', WorkflowFile.Largest - around)}}"}""", 0);
        var refused = await RefusedAsync(() => SaveAsync("large", $$"""{"a":"{{new string('x', WorkflowFile.Largest - around + 1)}}"}""", 1));

        Assert.Equal(DefinitionFault.TooLarge, refused.Fault);
    }

    [Fact]
    public async Task A_version_never_changes_and_what_did_not_change_gets_no_new_one()
    {
        await SaveAsync("w", """{"n": 1}""", 0);
        var first = await definitions.PublishAsync("w", 1, "me", Cancellation);
        var again = await definitions.PublishAsync("w", 1, "me", Cancellation);
        await SaveAsync("w", """{ "n": 1 }""", 1);
        var same = await definitions.PublishAsync("w", 2, "me", Cancellation);
        await SaveAsync("w", """{"n": 2}""", 2);
        var second = await definitions.PublishAsync("w", 3, "you", Cancellation);

        Assert.Equal((1, 1, 1, 2), (first, again, same, second));
        Assert.Equal("""{"n": 1}""", (await definitions.FindVersionAsync("w", 1, Cancellation))!.Definition.GetRawText());
        Assert.Equal(2, (await definitions.FindVersionAsync("w", null, Cancellation))!.Version);
        Assert.Null(await definitions.FindVersionAsync("w", 3, Cancellation));
        var view = (await definitions.FindAsync("w", Cancellation))!;
        Assert.Equal([(2, "you"), (1, "me")], view.Versions.Select(version => (version.Version, version.By)));
        Assert.False((await definitions.ListAsync(Cancellation)).Single().Changed);
    }

    [Fact]
    public async Task Of_ten_who_publish_at_once_all_get_the_same_version()
    {
        await SaveAsync("w", "{}", 0);

        var versions = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => definitions.PublishAsync("w", 1, null, Cancellation)));

        Assert.All(versions, version => Assert.Equal(1, version));
    }

    [Fact]
    public async Task What_was_saved_since_it_was_looked_at_is_not_published()
    {
        await SaveAsync("w", "{}", 0);
        await SaveAsync("w", """{"n": 1}""", 1);

        var refused = await RefusedAsync(() => definitions.PublishAsync("w", 1, null, Cancellation));

        Assert.Equal((DefinitionFault.Changed, 2), (refused.Fault, refused.Current!.Revision));
        Assert.Empty((await definitions.FindAsync("w", Cancellation))!.Versions);
    }

    [Fact]
    public async Task Of_a_deleted_definition_the_versions_stay_and_none_ever_means_another()
    {
        await SaveAsync("w", """{"n": 1}""", 0);
        await definitions.PublishAsync("w", 1, null, Cancellation);

        await definitions.DeleteAsync("w", Cancellation);

        Assert.Null(await definitions.FindAsync("w", Cancellation));
        Assert.Null(await definitions.FindVersionAsync("w", null, Cancellation));
        Assert.NotNull(await definitions.FindVersionAsync("w", 1, Cancellation));
        await SaveAsync("w", """{"n": 2}""", 0);
        Assert.Equal(2, await definitions.PublishAsync("w", 1, null, Cancellation));
        Assert.Equal(DefinitionFault.Unknown, (await RefusedAsync(() => definitions.DeleteAsync("x", Cancellation))).Fault);
    }

    [Fact]
    public async Task What_a_schedule_or_a_run_needs_is_not_deleted()
    {
        await SaveAsync("w", "{}", 0);
        await SaveAsync("w2", "{}", 0);
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO pipelines.schedules (name, cron, zone, missed, overlap, definition, parameters, last_fire)
            VALUES ('nightly', '0 2 * * *', 'UTC', 'skip', 'skip', '"definition:w@1"', '[]', now())
            """, Cancellation);

        var scheduled = await RefusedAsync(() => definitions.DeleteAsync("w", Cancellation));
        await db.Database.ExecuteSqlAsync($"UPDATE pipelines.schedules SET definition = '\"definition:w\"'", Cancellation);
        var latest = await RefusedAsync(() => definitions.DeleteAsync("w", Cancellation));
        await db.Database.ExecuteSqlAsync($"TRUNCATE pipelines.schedules CASCADE", Cancellation);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO pipelines.runs (id, name, state, use_cache, definition, parameters, definition_version)
            VALUES (gen_random_uuid(), 'w', 'running', true, '[]', '[]', 1)
            """, Cancellation);
        var running = await RefusedAsync(() => definitions.DeleteAsync("w", Cancellation));
        await db.Database.ExecuteSqlAsync($"UPDATE pipelines.runs SET state = 'succeeded'", Cancellation);
        await definitions.DeleteAsync("w", Cancellation);

        Assert.All([scheduled, latest, running], refused => Assert.Equal(DefinitionFault.InUse, refused.Fault));
        Assert.Contains("'w' is in use by schedule nightly", scheduled.Message, StringComparison.Ordinal);
        Assert.Contains("'w' is in use by run ", running.Message, StringComparison.Ordinal);
        Assert.Equal(["w2"], (await definitions.ListAsync(Cancellation)).Select(one => one.Name));
    }

    [Fact]
    public async Task Every_change_is_announced_by_name()
    {
        var heard = new List<string>();
        await using var connection = await database.Source.OpenConnectionAsync(Cancellation);
        connection.Notification += (_, announced) => heard.Add(announced.Payload);
        await using var listen = new NpgsqlCommand($"LISTEN {Channels.Definitions}", connection);
        await listen.ExecuteNonQueryAsync(Cancellation);

        await SaveAsync("w", "{}", 0);
        await definitions.PublishAsync("w", 1, null, Cancellation);
        await definitions.DeleteAsync("w", Cancellation);
        while (heard.Count < 3)
            Assert.True(await connection.WaitAsync(TimeSpan.FromSeconds(10), Cancellation));

        Assert.Equal(["w", "w", "w"], heard);
    }

    private Task<int> SaveAsync(string name, string draft, int revision) =>
        definitions.SaveAsync(name, JsonElement.Parse(draft), revision, "me", Cancellation);

    private static Task<DefinitionException> RefusedAsync(Func<Task> action) => Assert.ThrowsAsync<DefinitionException>(action);
}
