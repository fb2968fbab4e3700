using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Tests.Fixtures;

/// <summary>Runs stages by kind, as a worker does, with real artifacts in a folder of its own; gone afterwards.</summary>
internal sealed class StageFolder : IDisposable
{
    private readonly Catalog catalog = ActivityCatalog.Create();
    private readonly ProcessFolder work;
    private readonly ArtifactDirectory artifacts;

    /// <summary>For what runs outside a stage: nothing is kept or shown.</summary>
    public static StageContext Unkept { get; } =
        new(Guid.Empty, "none", 1, null!, "cpu", "", _ => { }, _ => { }, new NoCheckpoints());

    public StageFolder()
    {
        work = ProcessFolder.Open(Folder);
        artifacts = new ArtifactDirectory(Folder, work);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("pipelines-stages-").FullName;

    /// <summary>What the stages that are run from now on are given.</summary>
    public ICheckpoints Checkpoints { get; set; } = new NoCheckpoints();

    /// <summary>How many artifacts there are.</summary>
    public int Count => Directory.EnumerateFiles(Path.Combine(Folder, "artifacts"), "artifact.json", SearchOption.AllDirectories).Count();

    /// <param name="parameters">An anonymous object; names as in a workflow document.</param>
    /// <param name="inputs">Port and value, as another stage's outputs gave it.</param>
    public async Task<JsonElement> RunAsync(string kind, object parameters, params (string Port, JsonElement Value)[] inputs)
    {
        var entry = catalog.Find(kind)!;
        var given = entry.Check(JsonSerializer.SerializeToElement(parameters));
        Assert.Empty(given.Errors);
        var ports = entry.Inputs.ToDictionary(
            port => port.Name, port => inputs.FirstOrDefault(input => input.Port == port.Name) is { Port: not null } input ? input.Value : (JsonElement?)null);
        var context = new StageContext(
            Guid.NewGuid(), "stage", 1, artifacts, "cpu", work.Create("scratch"), _ => { }, _ => { }, Checkpoints);
        var cancellation = TestContext.Current.CancellationToken;
        return await StageThread.RunAsync(
            kind, () => entry.Run(JsonSerializer.SerializeToElement(ports), given.Complete, context, cancellation));
    }

    /// <summary>The folder of an output that names an artifact.</summary>
    public Task<string> OpenAsync(JsonElement output) =>
        artifacts.OpenAsync(output.GetProperty("hash").GetString()!, TestContext.Current.CancellationToken);

    public void Dispose()
    {
        work.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
