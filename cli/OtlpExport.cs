using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Pipelines.Engine.Telemetry;

namespace Pipelines.Cli;

/// <summary>
/// Figures and traces by OTLP, where the standard variables say so (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and its relatives):
/// nothing is sent, or even measured, without them.
/// </summary>
internal sealed class OtlpExport : IDisposable
{
    private readonly MeterProvider? metrics;
    private readonly TracerProvider? traces;

    private OtlpExport(MeterProvider? metrics, TracerProvider? traces) => (this.metrics, this.traces) = (metrics, traces);

    public static OtlpExport Start() => Start(new ConfigurationBuilder().AddEnvironmentVariables().Build());

    /// <param name="settings">The variables.</param>
    public static OtlpExport Start(IConfiguration settings) => new(
        IsWanted(settings, "METRICS")
            ? Sdk.CreateMeterProviderBuilder().ConfigureServices(services => services.AddSingleton(settings)).SetResourceBuilder(Process())
                .AddMeter(Instruments.Name, "System.Runtime").AddOtlpExporter().Build()
            : null,
        IsWanted(settings, "TRACES")
            ? Sdk.CreateTracerProviderBuilder().ConfigureServices(services => services.AddSingleton(settings)).SetResourceBuilder(Process())
                .AddSource(Instruments.Name).AddOtlpExporter().Build()
            : null);

    /// <summary>Sends what there is now, instead of soon.</summary>
    public void Flush()
    {
        metrics?.ForceFlush();
        traces?.ForceFlush();
    }

    /// <summary>Sends what is left.</summary>
    public void Dispose()
    {
        metrics?.Dispose();
        traces?.Dispose();
    }

    // OTEL_SERVICE_NAME, which is read last, wins.
    private static ResourceBuilder Process() => ResourceBuilder.CreateEmpty().AddTelemetrySdk()
        .AddService("pipelines", serviceVersion: typeof(OtlpExport).Assembly.GetName().Version?.ToString()).AddEnvironmentVariableDetector();

    private static bool IsWanted(IConfiguration settings, string signal) =>
        !string.Equals(settings["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase)
        && (Place.NotEmpty(settings[$"OTEL_{signal}_EXPORTER"]) ?? "otlp") == "otlp"
        && (Place.NotEmpty(settings["OTEL_EXPORTER_OTLP_ENDPOINT"]) ?? Place.NotEmpty(settings[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"])) is not null;
}
