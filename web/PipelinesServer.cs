using System.Net;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pipelines.Engine;
using Pipelines.Storage.Artifacts;
using Pipelines.Web.Api;

namespace Pipelines.Web;

/// <summary>What the engine has, over HTTP; a file per resource in <c>Api/</c>.</summary>
public sealed class PipelinesServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private PipelinesServer(WebApplication app) => this.app = app;

    /// <summary>Where it listens.</summary>
    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <exception cref="ArgumentException">It would listen beyond loopback without a token.</exception>
    /// <exception cref="IOException">The address is taken, or not this machine's.</exception>
    public static async Task<PipelinesServer> StartAsync(PipelinesEngine engine, ServerOptions options, CancellationToken cancellation)
    {
        if (!IPAddress.IsLoopback(options.Listen.Address) && options.Token is null)
            throw new ArgumentException($"listening on {options.Listen}, which other machines reach, needs a token", nameof(options));

        // Empty: neither the environment nor a file that lies about decides what it does.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 64 << 10; // those that take more say so
            kestrel.Listen(options.Listen);
        });
        builder.Services.AddRoutingCore().AddProblemDetails().AddExceptionHandler<Problems>();
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton(options.LoggerFactory);
        builder.Services.AddSingleton(engine.LocalArtifacts);
        builder.Services.AddSingleton(new ArtifactUploads(engine.LocalArtifacts, options.LargestArtifact, TimeProvider.System));

        var app = builder.Build();
        app.Use(Security.AddHeaders);
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.Use(new Security(options.Token).CheckAsync);
        HealthApi.Map(app);
        ArtifactsApi.Map(app);
        UploadsApi.Map(app);
        ElsaApi.Map(app);
        try
        {
            await app.StartAsync(cancellation);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return new PipelinesServer(app);
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        app.Services.GetRequiredService<ArtifactUploads>().Dispose();
        await app.DisposeAsync();
    }

    /// <summary>Signals are the program's.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
