using System.Text.Json;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Tests.Fixtures;

/// <summary>What most tests of stages begin with: a tiny model and a text as artifacts.</summary>
internal static class TinyStages
{
    /// <param name="architecture">As in <see cref="TinyModel.Save"/>.</param>
    public static async Task<JsonElement> ModelAsync(this StageFolder stages, long seed = 3, string? architecture = null)
    {
        var folder = TinyModel.Save(Path.Combine(stages.Folder, $"model-{architecture}-{seed}"), seed, architecture);
        return (await stages.RunAsync("model.load", new { path = folder })).GetProperty("model");
    }

    public static async Task<JsonElement> DataAsync(this StageFolder stages)
    {
        var path = Path.Combine(stages.Folder, "text.txt");
        await File.WriteAllTextAsync(path, TinyModel.Text, TestContext.Current.CancellationToken);
        return (await stages.RunAsync("data.text", new { path, length = 16, sequences = 8 })).GetProperty("data");
    }

    public static async Task<CausalLM> LoadAsync(this StageFolder stages, JsonElement checkpoint) =>
        CausalFolder.Load(await stages.OpenAsync(checkpoint), CPU);
}
