using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Pipelines.Engine;
using Pipelines.Engine.Telemetry;

namespace Pipelines.Web.Api;

/// <summary>How much there is of what, as Prometheus reads it.</summary>
internal static class MetricsApi
{
    private const string TextFormat = "text/plain; version=0.0.4; charset=utf-8";

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/metrics", ReadAsync);

    private static async Task<ContentHttpResult> ReadAsync(PipelinesEngine engine, CancellationToken cancellation)
    {
        var reading = await engine.Figures.ReadAsync(cancellation);
        using var process = Process.GetCurrentProcess();
        var text = new StringBuilder();
        foreach (var figure in Figures.All)
            Write(text, figure.Name, "gauge", figure.Help, figure.Label, figure.Samples(reading));
        Write(text, "process_resident_memory_bytes", "gauge", "Memory of this process", process.WorkingSet64);
        Write(text, "process_cpu_seconds_total", "counter", "Processor time of this process", process.TotalProcessorTime.TotalSeconds);
        Write(text, "dotnet_gc_heap_bytes", "gauge", "Memory of the managed heap", GC.GetTotalMemory(forceFullCollection: false));
        return TypedResults.Text(text.ToString(), TextFormat);
    }

    private static void Write(StringBuilder text, string name, string type, string help, double number) =>
        Write(text, name, type, help, null, [new Sample("", number)]);

    private static void Write(StringBuilder text, string name, string type, string help, string? label, IEnumerable<Sample> samples)
    {
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
        foreach (var (value, number) in samples)
            text.Append(CultureInfo.InvariantCulture, $"{name}{(label is null ? "" : $"{{{label}=\"{value}\"}}")} {number}\n");
    }
}
