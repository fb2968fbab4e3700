using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

/// <summary>Requests to a server with the token, and the patience for one that is away for a while.</summary>
internal sealed partial class ServerConnection : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly ArtifactServer server;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly HttpClient http;

    public ServerConnection(ArtifactServer server, TimeProvider time, ILogger logger)
    {
        (this.server, this.time, this.logger) = (server, time, logger);
        var handler = new SocketsHttpHandler
        {
            // The token is for this server only.
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectCallback = ConnectAsync,
        };
        // To the headers of an answer, for which a server may have to hash a large artifact.
        http = new HttpClient(handler) { BaseAddress = new Uri($"{server.Address.AbsoluteUri.TrimEnd('/')}/"), Timeout = TimeSpan.FromMinutes(30) };
        if (server.Token is { } token)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>Asks until there is an answer; that there is no such thing is one.</summary>
    /// <exception cref="ArtifactException">The server refuses, or stayed away for too long.</exception>
    public async Task<HttpResponseMessage> AskAsync(Func<HttpRequestMessage> request, CancellationToken cancellation)
    {
        HttpResponseMessage? response = null;
        await PatientlyAsync(
            async () =>
            {
                using var asked = request();
                var answer = await SendAsync(asked, cancellation);
                await answer.Content.LoadIntoBufferAsync(cancellation);
                response = answer;
            },
            () => 0, cancellation);
        return response!;
    }

    /// <exception cref="HttpRequestException">The server refuses, with a status; or cannot be reached, without one.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.NotFound
            || (request.Method == HttpMethod.Head && response.StatusCode == HttpStatusCode.InternalServerError))
        {
            return response;
        }

        using (response)
            throw new HttpRequestException(await ReasonAsync(response, cancellation), null, response.StatusCode);
    }

    /// <exception cref="HttpRequestException">The server knows nothing of what it was asked for.</exception>
    public static void CheckFound(HttpResponseMessage response)
    {
        if (response.StatusCode == HttpStatusCode.NotFound)
            throw new HttpRequestException("the server does not have it", null, HttpStatusCode.NotFound);
    }

    /// <param name="progress">What grows as long as the work gets on; patience begins anew with it.</param>
    /// <exception cref="ArtifactException">The server refuses, or stayed away for too long.</exception>
    public async Task PatientlyAsync(Func<Task> action, Func<long> progress, CancellationToken cancellation)
    {
        var (since, pause, before) = (time.GetTimestamp(), FirstPause, progress());
        while (true)
        {
            try
            {
                await action();
                return;
            }
            catch (Exception error) when (IsPassing(error) && !cancellation.IsCancellationRequested)
            {
                if (progress() > before)
                    (since, pause, before) = (time.GetTimestamp(), FirstPause, progress());
                if (time.GetElapsedTime(since) > server.Patience)
                    throw new ArtifactException($"the artifact server {server} cannot be reached: {error.Message}", error);
                LogRetry(server.ToString(), error.Message);
            }
            catch (HttpRequestException error) when (error.StatusCode is not (null or HttpStatusCode.NotFound))
            {
                throw new ArtifactException($"the artifact server {server} refuses: {error.Message}", error);
            }

            await Task.Delay(pause, time, cancellation);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    public void Dispose() => http.Dispose();

    /// <summary>Whether it may go well later: a connection that broke, a server that is away, busy, or behind with an earlier request.</summary>
    private static bool IsPassing(Exception error) => error switch
    {
        HttpRequestException { StatusCode: null } or HttpIOException or TimeoutException => true,
        HttpRequestException refused => refused.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.Conflict
            or HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout,
        IOException { InnerException: SocketException } => true,
        TaskCanceledException { InnerException: TimeoutException } => true,
        _ => false,
    };

    /// <summary>What the server says, and its status where it says nothing.</summary>
    private static async Task<string> ReasonAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var status = $"{(int)response.StatusCode} {response.ReasonPhrase}";
        if (response.Content.Headers.ContentType?.MediaType != "application/problem+json")
            return status;
        try
        {
            using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellation));
            return problem.RootElement.TryGetProperty("detail", out var detail) ? $"{detail.GetString()} ({status})" : status;
        }
        catch (JsonException)
        {
            return status;
        }
    }

    /// <summary>A connection whose other end is gone without a word is given up after a minute, not after hours.</summary>
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        const int tcp = 6;
        const int userTimeout = 18;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
            socket.SetRawSocketOption(tcp, userTimeout, BitConverter.GetBytes(60_000));
            await socket.ConnectAsync(context.DnsEndPoint, cancellation).AsTask().WaitAsync(LongestPause, TimeProvider.System, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The artifact server {Server} does not answer; trying again: {Reason}")]
    private partial void LogRetry(string server, string reason);
}
