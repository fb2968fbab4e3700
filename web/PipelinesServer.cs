using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pipelines.Engine;
using Pipelines.Storage.Artifacts;
using Pipelines.Web.Api;
using Pipelines.Workflows;

namespace Pipelines.Web;

/// <summary>What the engine has, over HTTP; a file per resource in <c>Api/</c>.</summary>
public sealed class PipelinesServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private PipelinesServer(WebApplication app) => this.app = app;

    /// <summary>Where it listens.</summary>
    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>What it answers.</summary>
    internal IEnumerable<RouteEndpoint> Endpoints => ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();

    /// <exception cref="ArgumentException">It would listen beyond loopback without a token.</exception>
    /// <exception cref="IOException">The address is taken, or not this machine's.</exception>
    public static async Task<PipelinesServer> StartAsync(PipelinesEngine engine, ServerOptions options, CancellationToken cancellation)
    {
        if (!IPAddress.IsLoopback(options.Listen.Address) && options is { Token: null, RequireToken: false })
            throw new ArgumentException($"listening on {options.Listen}, which other machines reach, needs a token", nameof(options));

        // Empty: neither the environment nor a file that lies about decides what it does.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 64 << 10; // those that take more say so
            kestrel.Listen(options.Listen);
        });
        builder.Services.AddRoutingCore().AddExceptionHandler<Problems>();
        builder.Services.AddProblemDetails(problems => problems.CustomizeProblemDetails = Problems.Customize);
        builder.Services.Configure<RouteHandlerOptions>(handlers => handlers.ThrowOnBadRequest = true); // for its reason
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
            json.SerializerOptions.Encoder = Json.Options.Encoder;
            json.SerializerOptions.MaxDepth = 2 * Json.Options.MaxDepth; // a document inside of an answer
            json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower));
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton(options.LoggerFactory);
        builder.Services.AddSingleton(engine).AddSingleton(engine.LocalArtifacts).AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<EventHub>().AddSingleton<RequestedPlan>();
        builder.Services.AddOpenApi();
        builder.Services.AddSingleton(new ArtifactUploads(engine.LocalArtifacts, options.LargestArtifact, TimeProvider.System));
        builder.Services.AddSingleton(engine.Tokens).AddSingleton(engine.Audit).AddSingleton(options);
        builder.Services.AddSingleton<Security>().AddSingleton<Auditing>();
        builder.Services.AddRateLimiter(limiter => RateLimits.Configure(limiter, options.Limits));

        var app = builder.Build();
        app.Use(Security.AddHeaders);
        app.Use(app.Services.GetRequiredService<Auditing>().NoteAsync);
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        DesignerFiles.Use(app, options.Designer);
        var security = app.Services.GetRequiredService<Security>();
        app.Use(security.IdentifyAsync);
        app.UseRateLimiter();
        app.Use(security.CheckAsync);
        MapApi(app);
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

    private static void MapApi(WebApplication app)
    {
        HealthApi.Map(app);
        ArtifactsApi.Map(app);
        ArtifactViewsApi.Map(app);
        UploadsApi.Map(app);
        SessionApi.Map(app);
        TokensApi.Map(app);
        DefinitionsApi.Map(app);
        SchedulesApi.Map(app);
        WorkersApi.Map(app);
        ElsaApi.Map(app);

        ActivitiesApi.Map(app);
        TemplatesApi.Map(app);
        ValidateApi.Map(app);
        RunsApi.Map(app);
        RunStagesApi.Map(app);
        CompareApi.Map(app);
        EventsApi.Map(app);
        MetricsApi.Map(app);
        app.MapOpenApi("/api/openapi.json");
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
