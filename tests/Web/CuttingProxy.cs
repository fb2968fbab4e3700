using System.Net;
using System.Net.Sockets;

namespace Pipelines.Tests.Web;

/// <summary>Stands before a server, and breaks every connection that has carried so many bytes.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource stop = new();
    private readonly int target;
    private readonly Task accepting;
    private int cuts;
    private long carried;

    public CuttingProxy(Uri server)
    {
        target = server.Port;
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}/");
        accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Bytes in either direction; null for as many as there are.</summary>
    public long? CutAfter { get; set; }

    /// <summary>How many connections may be broken; the ones after that are refused.</summary>
    public int MostCuts { get; set; } = int.MaxValue;

    public int Cuts => Volatile.Read(ref cuts);

    /// <summary>Bytes in both directions.</summary>
    public long Carried => Interlocked.Read(ref carried);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await accepting;
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync(stop.Token);
                if (Cuts >= MostCuts)
                {
                    client.Dispose();
                    continue;
                }

                var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await server.ConnectAsync(IPAddress.Loopback, target, stop.Token);
                var line = new Line(client, server);
                _ = PassAsync(client, server, line);
                _ = PassAsync(server, client, line);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task PassAsync(Socket from, Socket to, Line line)
    {
        var buffer = new byte[1 << 16];
        try
        {
            while (await from.ReceiveAsync(buffer, stop.Token) is > 0 and var count)
            {
                await to.SendAsync(buffer.AsMemory(0, count), stop.Token);
                Interlocked.Add(ref carried, count);
                if (line.Carry(count) > (CutAfter ?? long.MaxValue))
                {
                    Interlocked.Increment(ref cuts);
                    break;
                }
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }

        line.Break();
    }

    private sealed class Line(Socket one, Socket other)
    {
        private long bytes;

        public long Carry(int count) => Interlocked.Add(ref bytes, count);

        public void Break()
        {
            one.Dispose();
            other.Dispose();
        }
    }
}
