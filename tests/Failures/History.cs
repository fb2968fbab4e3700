using Npgsql;

namespace Pipelines.Tests.Failures;

/// <summary>What was written down about each attempt of a run, and whether the promises held.</summary>
internal sealed record History(IReadOnlyList<History.Attempt> Attempts)
{
    public sealed record Attempt(string Stage, int Number, string? Outcome, string Worker, long? FromStep, int? ExitCode);

    public static async Task<History> ReadAsync(string database, Guid run, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand(
            "SELECT stage, attempt, outcome, worker, from_step, exit_code FROM pipelines.attempts WHERE run_id = @run ORDER BY stage, attempt", connection);
        command.Parameters.AddWithValue("run", run);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var attempts = new List<Attempt>();
        while (await reader.ReadAsync(cancellation))
        {
            attempts.Add(new Attempt(
                reader.GetString(0), reader.GetInt32(1), reader.IsDBNull(2) ? null : reader.GetString(2), reader.GetString(3),
                reader.IsDBNull(4) ? null : reader.GetInt64(4), reader.IsDBNull(5) ? null : reader.GetInt32(5)));
        }

        return new History(attempts);
    }

    public int Count(string outcome) => Attempts.Count(attempt => attempt.Outcome == outcome);

    /// <summary>Stages that succeeded more than once.</summary>
    public int DoneTwice => Attempts.Where(attempt => attempt.Outcome is "succeeded" or "reused")
        .GroupBy(attempt => attempt.Stage).Count(stage => stage.Count() > 1);

    /// <summary>Stages that never succeeded.</summary>
    public int Lost => Attempts.GroupBy(attempt => attempt.Stage)
        .Count(stage => !stage.Any(attempt => attempt.Outcome is "succeeded" or "reused"));

    /// <summary>Every attempt has ended, the last of each stage with success, and none after it.</summary>
    public void Check()
    {
        Assert.Equal(0, DoneTwice);
        Assert.Equal(0, Lost);
        Assert.DoesNotContain(Attempts, attempt => attempt.Outcome is null);
        Assert.All(Attempts.GroupBy(attempt => attempt.Stage), stage =>
        {
            Assert.Equal(Enumerable.Range(1, stage.Count()), stage.Select(attempt => attempt.Number));
            Assert.Equal("succeeded", stage.Last().Outcome);
        });
    }
}
