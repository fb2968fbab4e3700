using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Pipelines.Web.Api;

/// <summary>What changes, as it changes, in the form that a browser's <c>EventSource</c> reads.</summary>
internal static class EventsApi
{
    /// <summary>A page hears of the same thing no more often.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(200);

    /// <summary>Whatever stands between keeps a connection that is not silent for longer.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/events", StreamAsync);

    private static async Task StreamAsync(
        HttpContext context, EventHub hub, IHostApplicationLifetime lifetime, IOptions<JsonOptions> json)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            using var queue = await hub.OpenAsync(stop.Token);
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.CacheControl = "no-cache";
            context.Response.Headers["X-Accel-Buffering"] = "no"; // nginx would wait for more
            // A browser that comes again names the last event that it heard.
            if (context.Request.Headers.ContainsKey("Last-Event-ID"))
                queue.MissAll();
            await SendAsync(context.Response, ": listening\n\n", stop.Token);
            for (var id = 1L; ;)
            {
                if (!await queue.WaitAsync(Heartbeat, stop.Token))
                {
                    await SendAsync(context.Response, ": still there\n\n", stop.Token);
                    continue;
                }

                var (events, missed) = queue.Take();
                if (missed)
                    events = [.. events.Union(await hub.MissedAsync(stop.Token))];
                var text = string.Concat(events.Select(one => $"id: {id++}\ndata: {JsonSerializer.Serialize(one, json.Value.SerializerOptions)}\n\n"));
                await SendAsync(context.Response, text, stop.Token);
                await Task.Delay(Period, stop.Token);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private static async Task SendAsync(HttpResponse response, string text, CancellationToken cancellation)
    {
        await response.WriteAsync(text, cancellation);
        await response.Body.FlushAsync(cancellation);
    }
}
