using Microsoft.Extensions.Logging;
using Npgsql;
using Pipelines.Storage;

namespace Pipelines.Engine;

/// <summary>
/// Hears what Postgres announces, on a connection of its own that is opened again when it breaks. What was announced
/// in between is lost, so after each opening everything may have changed: <see cref="Missed"/>.
/// </summary>
internal sealed partial class DatabaseListener(
    Database database, TimeProvider time, ILogger<DatabaseListener> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private static readonly string Listen = string.Join("; ", new[]
    {
        Channels.RunChanged, Channels.RunCancelled, Channels.Wake, Channels.Schedules, Channels.Drain, Channels.Workers, Channels.Definitions,
    }.Select(channel => $"LISTEN {channel}"));

    private readonly CancellationTokenSource stop = new();
    private readonly TaskCompletionSource listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock starting = new();
    private Task? loop;

    public event Action<Guid>? RunChanged;
    public event Action<Guid>? RunCancelled;
    public event Action? Woken;
    public event Action? SchedulesChanged;
    public event Action<string>? DrainRequested;
    public event Action? WorkersChanged;
    public event Action<string>? DefinitionChanged;
    public event Action? Missed;

    /// <summary>Returns when it listens: what is announced from now on is heard.</summary>
    public Task StartAsync(CancellationToken cancellation)
    {
        lock (starting)
            loop ??= ListenAsync();
        return listening.Task.WaitAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        if (loop is not null)
            await loop;
        stop.Dispose();
    }

    private async Task ListenAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.Source.OpenConnectionAsync(stop.Token);
                connection.Notification += (_, announced) => Tell(announced);
                await using var command = new NpgsqlCommand(Listen, connection);
                await command.ExecuteNonQueryAsync(stop.Token);
                listening.TrySetResult();
                Missed?.Invoke();
                while (true)
                    await connection.WaitAsync(stop.Token);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                LogLost(error.Message);
            }

            await Task.Delay(Pause, time, stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private void Tell(NpgsqlNotificationEventArgs announced)
    {
        switch (announced.Channel)
        {
            case Channels.RunChanged when Guid.TryParse(announced.Payload, out var run):
                RunChanged?.Invoke(run);
                break;
            case Channels.RunCancelled when Guid.TryParse(announced.Payload, out var run):
                RunCancelled?.Invoke(run);
                break;
            case Channels.Wake:
                Woken?.Invoke();
                break;
            case Channels.Schedules:
                SchedulesChanged?.Invoke();
                break;
            case Channels.Drain:
                DrainRequested?.Invoke(announced.Payload);
                break;
            case Channels.Workers:
                WorkersChanged?.Invoke();
                break;
            case Channels.Definitions:
                DefinitionChanged?.Invoke(announced.Payload);
                break;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The connection that hears what changes is lost, and is opened again: {Reason}")]
    private partial void LogLost(string reason);
}
