using Microsoft.EntityFrameworkCore;
using Npgsql;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Storage;

public sealed class MigrationsTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_migrations_make_the_tables_that_the_model_describes()
    {
        await using var database = await Database.OpenAsync(
            fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation);
        await using var db = database.Create();

        Assert.False(db.Database.HasPendingModelChanges(), "run: dotnet run --project storage/migrations-tool NameOfTheChange");
    }

    [Fact]
    public async Task Many_processes_may_migrate_an_empty_database_at_once()
    {
        await using (var source = NpgsqlDataSource.Create(fresh.ConnectionString))
        {
            await using var drop = source.CreateCommand("DROP SCHEMA pipelines CASCADE; DROP SCHEMA quartz CASCADE");
            await drop.ExecuteNonQueryAsync(Cancellation);
        }

        var opened = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Database.OpenAsync(
            fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation)));

        foreach (var database in opened)
        {
            await using var db = database.Create();
            Assert.Empty(await db.Runs.ToListAsync(Cancellation));
            await database.DisposeAsync();
        }
    }

    [Fact]
    public async Task Refuses_a_database_that_a_newer_program_made()
    {
        await using var database = await Database.OpenAsync(
            fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation);
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO pipelines.migrations VALUES ('99991231_FromTheFuture', '99')", Cancellation);

        var error = await Assert.ThrowsAsync<DatabaseException>(() => Database.OpenAsync(
            fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation));

        await db.Database.ExecuteSqlAsync($"DELETE FROM pipelines.migrations WHERE \"ProductVersion\" = '99'", Cancellation);
        Assert.Contains("newer Pipelines (it has the migration 99991231_FromTheFuture)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=/nowhere;Username=a;Password=secret", "/nowhere")]
    [InlineData("postgres://a:secret@b/c", "no connection string")]
    public async Task Says_what_it_cannot_reach_without_the_password(string connection, string part)
    {
        var error = await Assert.ThrowsAsync<DatabaseException>(() => Database.OpenAsync(
            connection, fresh.DataFolder, TimeProvider.System, Cancellation));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }
}
