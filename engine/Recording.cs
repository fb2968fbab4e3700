using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Pipelines.Engine;

/// <summary>
/// Tries to record what a stage came to until the database takes it: hours of work are not lost to a restart of
/// Postgres. Every transition may be repeated, so a lost answer does no harm.
/// </summary>
internal sealed partial class Recording(TimeProvider time, ILogger<Recording> logger)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan GiveUp = TimeSpan.FromMinutes(30);

    public async Task<bool> UntilDoneAsync(Func<CancellationToken, Task<bool>> record)
    {
        var began = time.GetTimestamp();
        var pause = First;
        while (true)
        {
            try
            {
                return await record(CancellationToken.None);
            }
            catch (Exception error) when (IsPassing(error) && time.GetElapsedTime(began) < GiveUp)
            {
                if (IsFull(error))
                    LogFull(error.Message);
                else
                    LogRetry(error.Message);
            }

            await Task.Delay(pause, time, CancellationToken.None);
            pause = pause * 2 < Longest ? pause * 2 : Longest;
        }
    }

    /// <summary>Whether the database may take it later: a lost connection, a restart, a deadlock, a full disk that somebody makes room on.</summary>
    public static bool IsPassing(Exception error) => error switch
    {
        PostgresException postgres => postgres.IsTransient || postgres.SqlState.StartsWith("57P", StringComparison.Ordinal),
        NpgsqlException { IsTransient: true } or SocketException or TimeoutException => true,
        _ => error.InnerException is { } inner && IsPassing(inner),
    };

    private static bool IsFull(Exception error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.DiskFull } || (error.InnerException is { } inner && IsFull(inner));

    [LoggerMessage(LogLevel.Error, "The disk of the database is full; make room on it, and the stage's end is recorded: {Reason}")]
    private partial void LogFull(string reason);

    [LoggerMessage(LogLevel.Warning, "The database does not take a stage's end; trying again: {Reason}")]
    private partial void LogRetry(string reason);
}
