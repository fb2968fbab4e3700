using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Web.Api;

/// <summary>How much there is of what, as Prometheus reads it.</summary>
internal static class MetricsApi
{
    private const string TextFormat = "text/plain; version=0.0.4; charset=utf-8";

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/metrics", ReadAsync);

    private static async Task<ContentHttpResult> ReadAsync(Readings readings, CancellationToken cancellation)
    {
        var (statistics, artifacts) = await readings.ReadAsync(cancellation);
        using var process = Process.GetCurrentProcess();
        var text = new StringBuilder();
        Write(text, "pipelines_runs", "gauge", "Runs by state", "state", ByState(statistics.Runs));
        Write(text, "pipelines_stages", "gauge", "Stages of all runs by state", "state", ByState(statistics.Stages));
        Write(text, "pipelines_stages_backlog", "gauge", "Stages that wait for a free slot", "group", ByGroup(statistics.Backlog, count => count));
        Write(text, "pipelines_stages_oldest_ready_seconds", "gauge", "How long the oldest of them has waited", "group", ByGroup(statistics.OldestReady, age => age));
        Write(text, "pipelines_workers", "gauge", "Workers that live", "group", ByGroup(statistics.Workers, count => count));
        Write(text, "pipelines_artifacts", "gauge", "Artifacts in the data folder", null, [("", artifacts.Count)]);
        Write(text, "pipelines_artifact_bytes", "gauge", "Bytes of their files", null, [("", artifacts.Bytes)]);
        Write(text, "process_resident_memory_bytes", "gauge", "Memory of this process", null, [("", process.WorkingSet64)]);
        Write(text, "process_cpu_seconds_total", "counter", "Processor time of this process", null, [("", process.TotalProcessorTime.TotalSeconds)]);
        Write(text, "dotnet_gc_heap_bytes", "gauge", "Memory of the managed heap", null, [("", GC.GetTotalMemory(forceFullCollection: false))]);
        return TypedResults.Text(text.ToString(), TextFormat);
    }

    private static IEnumerable<(string, double)> ByState<TState>(IReadOnlyDictionary<TState, long> counts)
        where TState : struct, Enum =>
        Enum.GetValues<TState>().Select(state => (Json.Write(state).GetString()!, (double)counts.GetValueOrDefault(state)));

    /// <summary>A group that has none says so: a series that ends looks like a server that ended.</summary>
    private static IEnumerable<(string, double)> ByGroup<T>(IReadOnlyDictionary<string, T> counts, Func<T, double> number)
        where T : struct =>
        counts.Keys.Union([StageGroup.Cpu, StageGroup.Gpu]).Order(StringComparer.Ordinal)
            .Select(group => (group, number(counts.GetValueOrDefault(group))));

    private static void Write(
        StringBuilder text, string name, string type, string help, string? label, IEnumerable<(string Value, double Number)> samples)
    {
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
        foreach (var (value, number) in samples)
            text.Append(CultureInfo.InvariantCulture, $"{name}{(label is null ? "" : $"{{{label}=\"{value}\"}}")} {number}\n");
    }
}
