using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Bench;

/// <summary>
/// ResNet-56 on images of 32×32 in batches of 128, from C# and from Python in the same LibTorch, one process each, in turn.
/// </summary>
public sealed class VisionBench(string self, string peers, string python, int threads, int rounds, int batches, Action<string> say)
{
    /// <exception cref="UnavailableException">A side cannot run.</exception>
    public IReadOnlyList<Compared> Run()
    {
        var folder = Directory.CreateTempSubdirectory("pipelines-bench-").FullName;
        try
        {
            var images = Prepare(folder);
            return [.. VisionWork.Methods.Select(method => Compare(method, folder, images))];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private Compared Compare(string method, string folder, string images)
    {
        var limit = threads.ToString(CultureInfo.InvariantCulture);
        return SideBySide.Compare(
            method, rounds, say,
            () => SideBySide.Measure(self, "bench", "vision-work", method, folder, images, limit),
            () => SideBySide.Measure(python, Path.Combine(peers, "vision.py"), method, folder, images, limit));
    }

    /// <summary>A random network and random images: what is timed does not depend on their values.</summary>
    private string Prepare(string folder)
    {
        var config = ImageConfig.Parse("bench", new JsonObject { ["architectures"] = new JsonArray("CifarResNet"), ["depth"] = 56 });
        using var network = VisionFolder.Create(config, seed: 0);
        VisionFolder.Save(network, folder);
        var path = Path.Combine(folder, "images.safetensors");
        using var scope = NewDisposeScope();
        using var generator = new Generator(0, CPU);
        SafetensorsWriter.Write(path,
        [
            TensorSource.Of("images", empty(batches * VisionWork.Batch, 3, 32, 32).normal_(generator: generator)),
            TensorSource.Of("labels", arange(batches * VisionWork.Batch, dtype: ScalarType.Int64).remainder(10)),
        ]);
        return path;
    }

    /// <summary>One line of JSON.</summary>
    public static string Line(IEnumerable<Compared> all) => JsonSerializer.Serialize(all.ToDictionary(one => one.Method, one => new
    {
        seconds = one.Ours.Seconds,
        images_per_second = one.Ours.TokensPerSecond,
        peak_mb = one.Ours.PeakMb,
        python_seconds = one.Python.Seconds,
        python_images_per_second = one.Python.TokensPerSecond,
        python_peak_mb = one.Python.PeakMb,
        throughput_ratio = 1 / one.TimeRatio,
        memory_ratio = one.MemoryRatio,
        results = new[] { one.Ours.Result, one.Python.Result },
    }));
}
