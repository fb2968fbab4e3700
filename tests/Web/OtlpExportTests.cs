using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Pipelines.Cli;
using Pipelines.Engine.Telemetry;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Web;

/// <summary>Figures and traces by OTLP, to a receiver that only looks for names in what it gets.</summary>
public sealed class OtlpExportTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_run_did_and_how_much_there_is_are_sent_where_the_variables_say()
    {
        await using var receiver = await Receiver.StartAsync();
        var export = OtlpExport.Start(Settings(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.Address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_SERVICE_NAME", "ours")));
        await using var server = await TestServer.StartAsync(fresh, toys: true);
        var client = server.Client();

        var run = await client.StartAsync("""
            [{ "id": "numbered", "kind": "toy.number", "parameters": { "value": 1 } },
             { "id": "summed", "kind": "toy.add", "inputs": { "a": "numbered.value", "b": "numbered.value" } }]
            """, "traced");
        await server.Engine.WaitAsync(run, Cancellation);
        await receiver.UntilAsync(export, "/v1/traces", "stage numbered", "stage summed", "run traced", $"{run}", "toy.add", "ours");
        export.Dispose();

        await receiver.UntilAsync(null, "/v1/metrics", Instruments.Name, "System.Runtime", "pipelines_runs", "pipelines_artifact_bytes", "succeeded", "ours");
    }

    [Theory]
    [InlineData("OTEL_SDK_DISABLED", "true")]
    [InlineData("OTEL_METRICS_EXPORTER", "none")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "")]
    public async Task Nothing_is_sent_where_they_do_not_say_so(string name, string value)
    {
        await using var receiver = await Receiver.StartAsync();
        using (OtlpExport.Start(Settings(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.Address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), (name, value))))
        {
        }

        Assert.DoesNotContain(receiver.Received, request => request.Path == "/v1/metrics");
    }

    private static IConfiguration Settings(params (string Name, string Value)[] variables)
    {
        var settings = new Dictionary<string, string?>();
        foreach (var (name, value) in variables)
            settings[name] = value;
        return new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
    }

    private sealed class Receiver(WebApplication app) : IAsyncDisposable
    {
        private readonly WebApplication app = app;

        public string Address => app.Urls.Single();

        /// <summary>Every byte as a letter: names are in it as they are.</summary>
        public ConcurrentQueue<(string Path, string? Type, string Text)> Received { get; } = [];

        public static async Task<Receiver> StartAsync()
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
            var receiver = new Receiver(builder.Build());
            receiver.app.Run(receiver.TakeAsync);
            await receiver.app.StartAsync(Cancellation);
            return receiver;
        }

        /// <summary>What was sent to this path has all of these in it, all the requests together.</summary>
        public async Task UntilAsync(OtlpExport? export, string path, params string[] names)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            limit.CancelAfter(TimeSpan.FromSeconds(30));
            while (true)
            {
                export?.Flush();
                var requests = Received.Where(request => request.Path == path).ToArray();
                Assert.All(requests, request => Assert.Equal("application/x-protobuf", request.Type));
                var text = string.Concat(requests.Select(request => request.Text));
                if (names.All(name => text.Contains(name, StringComparison.Ordinal)))
                    return;
                await Task.Delay(50, limit.Token);
            }
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private async Task TakeAsync(HttpContext context)
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, Cancellation);
            Received.Enqueue((context.Request.Path, context.Request.ContentType, Encoding.Latin1.GetString(body.ToArray())));
        }
    }
}
