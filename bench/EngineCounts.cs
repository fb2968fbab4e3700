using System.Collections.Concurrent;
using System.Diagnostics;

namespace Pipelines.Bench;

/// <summary>
/// Counts what this process asks of Postgres, ours and Quartz's alike, from Npgsql's own traces: a command is a round
/// trip, and may hold several statements. Its BEGIN travels with the first command and is not seen, nor is COMMIT.
/// </summary>
internal sealed class EngineCommands : IDisposable
{
    private readonly ConcurrentDictionary<string, (int Count, TimeSpan Time)> commands = new();
    private readonly ActivityListener listener;

    public EngineCommands()
    {
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = Note,
        };
        ActivitySource.AddActivityListener(listener);
    }

    public int Commands => commands.Values.Sum(one => one.Count);

    /// <summary>Values are parameters, so a semicolon is always between two statements.</summary>
    public int Statements => commands.Sum(one => one.Value.Count * one.Key.Split(
        ';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Length);

    /// <summary>The commands that took most, one per line.</summary>
    /// <param name="stages">What counts and times are divided by.</param>
    public IEnumerable<string> Profile(int stages) =>
        from command in commands
        orderby command.Value.Time descending
        let text = string.Join(' ', command.Key.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        select FormattableString.Invariant(
            $"{command.Value.Time.TotalMilliseconds / stages,8:0.000} ms {(double)command.Value.Count / stages,7:0.00} times  {text[..Math.Min(110, text.Length)]}");

    public void Dispose() => listener.Dispose();

    private void Note(Activity activity)
    {
        if (activity.GetTagItem("db.query.text") is string text && !text.StartsWith(EngineDatabase.Mark, StringComparison.Ordinal))
            commands.AddOrUpdate(text, _ => (1, activity.Duration), (_, one) => (one.Count + 1, one.Time + activity.Duration));
    }
}

/// <summary>What was asked of the database between two moments at which nobody was connected.</summary>
/// <param name="Commits">Transactions, those that wrote nothing among them.</param>
/// <param name="Flushes">Writes of the log that were waited for; null where the server does not say.</param>
internal sealed record EngineCounts(double Commits, double? Flushes, double Commands, double Statements)
{
    public static async Task<EngineCounts> ReadAsync(
        EngineDatabase database, EngineCommands commands, CancellationToken cancellation)
    {
        await database.SettleAsync(cancellation);
        var own = database.Commands;
        var commits = await database.AskAsync<long>(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()", cancellation);
        // Later servers count it elsewhere.
        var says = await database.AskAsync<bool>(
            "SELECT current_setting('server_version_num')::int BETWEEN 140000 AND 179999", cancellation);
        double? flushes = says
            ? await database.AskAsync<long>("SELECT wal_sync FROM pg_stat_wal", cancellation)
            : null;
        return new EngineCounts(commits - own, flushes, commands.Commands, commands.Statements);
    }

    public EngineCounts Minus(EngineCounts other) => new(
        Commits - other.Commits, Flushes - other.Flushes, Commands - other.Commands, Statements - other.Statements);

    public EngineCounts Over(int stages) =>
        new(Commits / stages, Flushes / stages, Commands / stages, Statements / stages);
}
