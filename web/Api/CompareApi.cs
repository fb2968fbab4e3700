using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;

namespace Pipelines.Web.Api;

/// <summary>Runs side by side.</summary>
internal static class CompareApi
{
    private const int MostRuns = 20;

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/runs/compare", CompareAsync);

    private static async Task<Ok<IReadOnlyList<ComparedRun>>> CompareAsync(
        string ids, PipelinesEngine engine, CancellationToken cancellation)
    {
        var wanted = ids.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct().Select(IdOf).ToList();
        if (wanted.Count is 0 or > MostRuns)
            throw new RefusedException(StatusCodes.Status400BadRequest, $"ids names {wanted.Count} runs: expected 1 to {MostRuns}, with commas between");
        var runs = await engine.Runs.FindAsync(wanted, cancellation);
        if (wanted.Except(runs.Select(run => run.Id)).ToArray() is [var missing, ..])
            throw new RefusedException(StatusCodes.Status404NotFound, $"there is no run {missing}");
        return TypedResults.Ok<IReadOnlyList<ComparedRun>>([.. runs.Select(View)]);
    }

    private static Guid IdOf(string text) => Guid.TryParse(text, out var id)
        ? id
        : throw new RefusedException(StatusCodes.Status400BadRequest, $"'{text}' is no run's id");

    private static ComparedRun View(RunView run) => new(
        run.Id, run.Name, run.State, run.Created, run.Finished, run.Parameters, run.Outputs,
        [
            .. run.Stages.Select(stage => new ComparedStage(
                stage.Id, stage.Kind, stage.State, stage.Reused, stage.Seconds, stage.Outputs, Figures(stage),
                stage.Outputs is { } outputs ? Manifest.HashesIn(outputs) : [], stage.Variables)),
        ]);

    private static Dictionary<string, double> Figures(StageView stage)
    {
        var figures = new Dictionary<string, double>();
        if (stage.Outputs is { } outputs)
            Collect(outputs, "", figures);
        return figures;
    }

    private static void Collect(JsonElement json, string path, Dictionary<string, double> figures)
    {
        if (json.ValueKind == JsonValueKind.Number)
            figures[path] = json.GetDouble();
        if (json.ValueKind != JsonValueKind.Object)
            return;
        foreach (var member in json.EnumerateObject())
            Collect(member.Value, path.Length == 0 ? member.Name : $"{path}.{member.Name}", figures);
    }

    private sealed record ComparedRun(
        Guid Id, string Name, RunState State, DateTimeOffset Created, DateTimeOffset? Finished, IReadOnlyDictionary<string, JsonElement> Parameters,
        IReadOnlyDictionary<string, JsonElement> Outputs, IReadOnlyList<ComparedStage> Stages);

    /// <param name="Figures">The numbers in the outputs by their paths: <c>measurement.perplexity</c>.</param>
    /// <param name="Artifacts">The hashes in the outputs.</param>
    /// <param name="Variables">The values that its matrices have for it, and its round.</param>
    private sealed record ComparedStage(
        string Id, string Kind, StageState State, bool Reused, double? Seconds, JsonElement? Outputs, IReadOnlyDictionary<string, double> Figures,
        IReadOnlyList<string> Artifacts, IReadOnlyDictionary<string, JsonElement>? Variables);
}
