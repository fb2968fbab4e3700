using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Bench;

/// <summary>
/// The same work from C# and from Python, in the same LibTorch, on the same files, one process each, in turn, with nothing
/// else running. Heads have 128 channels, sequences 512 tokens.
/// </summary>
/// <param name="references">A folder with checkouts of the references (peers/reference.py), to time in place of our plain scripts; null for none.</param>
public sealed class ComputeBench(
    string self, string peers, string python, string? references, BenchSize size, int sequences, IReadOnlyList<string> methods, int threads,
    int rounds, Action<string> say)
{
    private const int Length = 512;
    private const int Vocabulary = 4096;

    public IReadOnlyList<Compared> Run()
    {
        var folder = Directory.CreateTempSubdirectory("pipelines-bench-").FullName;
        try
        {
            var tokens = Prepare(folder);
            return [.. methods.Select(method => Compare(method, folder, tokens))];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private Compared Compare(string method, string folder, string tokens) => SideBySide.Compare(
        method, rounds, say,
        () => SideBySide.Measure(self, "bench", "compute-work", method, folder, tokens, Text(threads)),
        () => SideBySide.Measure(
            python, [Path.Combine(peers, "compute.py"), Peer(method), folder, tokens, Text(threads), .. Reference(method)]));

    private static string Peer(string method) => method == ComputeWork.DenseWanda ? "wanda" : method;

    private string[] Reference(string method) => references is null || method is "forward" or "train" ? [] : [references];

    /// <summary>A random model and random tokens: what is timed does not depend on their values.</summary>
    private string Prepare(string folder)
    {
        var config = CausalConfig.Parse("bench", new JsonObject
        {
            ["architectures"] = new JsonArray("LlamaForCausalLM"),
            ["model_type"] = "llama",
            ["hidden_size"] = size.Hidden,
            ["intermediate_size"] = size.Neurons,
            ["num_hidden_layers"] = size.Layers,
            ["num_attention_heads"] = size.Hidden / 128,
            ["num_key_value_heads"] = size.Hidden / 128,
            ["vocab_size"] = Vocabulary,
            ["max_position_embeddings"] = Length,
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = 10000.0,
        });
        using var model = CausalFolder.Create(config, seed: 0);
        CausalFolder.Save(model, folder);
        var path = Path.Combine(folder, "tokens.safetensors");
        using var scope = NewDisposeScope();
        manual_seed(0);
        SafetensorsWriter.Write(path, [TensorSource.Of("tokens", randint(Vocabulary, [sequences, Length], dtype: ScalarType.Int64))]);
        return path;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A Llama of the bench.</summary>
public sealed record BenchSize(int Hidden, int Layers, int Neurons)
{
    public static readonly IReadOnlyDictionary<string, BenchSize> All = new Dictionary<string, BenchSize>
    {
        ["512x8"] = new(512, 8, 1376),
        ["1024x16"] = new(1024, 16, 2752),
    };
}

/// <summary>Medians of both sides.</summary>
public sealed record Compared(string Method, Measured Ours, Measured Python)
{
    /// <summary>Ours over Python's: below 1 is faster.</summary>
    public double TimeRatio => Ours.Seconds / Python.Seconds;

    public double CpuRatio => Ours.CpuSeconds / Python.CpuSeconds;

    public double MemoryRatio => Ours.PeakMb / Python.PeakMb;

    public double AnonymousRatio => Ours.AnonymousMb / Python.AnonymousMb;

    /// <summary>Whether both sides found the same, to what different orders of summation allow; null where they compute different things.</summary>
    public bool? Agrees => Method is "train" or ComputeWork.DenseWanda
        ? null
        : Math.Abs(Ours.Result - Python.Result) <= 1e-4 * Math.Abs(Python.Result);

    public static string Line(IEnumerable<Compared> all) => JsonSerializer.Serialize(all.ToDictionary(one => one.Method, one => new
    {
        seconds = one.Ours.Seconds,
        cpu_seconds = one.Ours.CpuSeconds,
        tokens_per_second = one.Ours.TokensPerSecond,
        peak_mb = one.Ours.PeakMb,
        anonymous_mb = one.Ours.AnonymousMb,
        python_seconds = one.Python.Seconds,
        python_cpu_seconds = one.Python.CpuSeconds,
        python_tokens_per_second = one.Python.TokensPerSecond,
        python_peak_mb = one.Python.PeakMb,
        python_anonymous_mb = one.Python.AnonymousMb,
        time_ratio = one.TimeRatio,
        cpu_ratio = one.CpuRatio,
        memory_ratio = one.MemoryRatio,
        anonymous_ratio = one.AnonymousRatio,
        agrees = one.Agrees,
    }));
}
