using System.Net.Sockets;
using Npgsql;

namespace Pipelines.Tests.Failures;

/// <summary>Stands between a worker and Postgres, and can hold every connection open without passing anything on.</summary>
internal sealed class HalfOpenProxy : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-proxy-").FullName;
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource stop = new();
    private readonly string target;
    private readonly Task accepting;
    private TaskCompletionSource open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HalfOpenProxy(string connection)
    {
        var server = new NpgsqlConnectionStringBuilder(connection);
        var name = $".s.PGSQL.{server.Port}";
        target = Path.Combine(server.Host!, name);
        ConnectionString = new NpgsqlConnectionStringBuilder(connection) { Host = folder }.ConnectionString;
        open.SetResult();
        listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder, name)));
        listener.Listen();
        accepting = AcceptAsync();
    }

    /// <summary>For who is to go through the proxy.</summary>
    public string ConnectionString { get; }

    public void Freeze() => open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw() => open.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Thaw();
        await stop.CancelAsync();
        listener.Dispose();
        await accepting;
        stop.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync(stop.Token);
                var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await server.ConnectAsync(new UnixDomainSocketEndPoint(target), stop.Token);
                _ = PassAsync(client, server);
                _ = PassAsync(server, client);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task PassAsync(Socket from, Socket to)
    {
        var buffer = new byte[1 << 16];
        try
        {
            while (await from.ReceiveAsync(buffer, stop.Token) is > 0 and var count)
            {
                await open.Task.WaitAsync(stop.Token);
                await to.SendAsync(buffer.AsMemory(0, count), stop.Token);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }

        from.Dispose();
        to.Dispose();
    }
}
