using System.Diagnostics;
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
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(10);

    /// <summary>Thrown when a side cannot run; the message says what to install.</summary>
    public sealed class UnavailableException(string message) : Exception(message);

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

    private Compared Compare(string method, string folder, string tokens)
    {
        var (ours, theirs) = (new List<Measured>(), new List<Measured>());
        for (var round = 0; round < rounds; round++)
        {
            say($"{method}, round {round + 1} of {rounds}");
            ours.Add(Measure(self, "bench", "compute-work", method, folder, tokens, Text(threads)));
            theirs.Add(Measure(python, [Path.Combine(peers, "compute.py"), Peer(method), folder, tokens, Text(threads), .. Reference(method)]));
        }

        return new Compared(method, Median(ours), Median(theirs));
    }

    private static string Peer(string method) => method == ComputeWork.DenseWanda ? "wanda" : method;

    private string[] Reference(string method) => references is null || method is "forward" or "train" ? [] : [references];

    internal static Measured Measure(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };

        // Ours limits how long idle OpenMP threads spin. Python gets the same, or what else runs here would decide.
        start.Environment.TryAdd("GOMP_SPINCOUNT", "2000");
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        var anonymous = 0.0;
        while (!process.WaitForExit(BetweenLooks))
            anonymous = Math.Max(anonymous, ComputeWork.Megabytes(process.Id, "RssAnon:") ?? 0);
        if (process.ExitCode != 0)
            throw new UnavailableException($"{program} {arguments[0]}: {errors.Result.Trim()}");
        var json = JsonNode.Parse(output.Result.Trim().Split('\n')[^1])!;
        return new Measured(
            json["seconds"]!.GetValue<double>(), json["cpu_seconds"]!.GetValue<double>(), json["tokens_per_second"]!.GetValue<double>(),
            json["peak_mb"]!.GetValue<double>(), anonymous, json["result"]!.GetValue<double>());
    }

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

    internal static Measured Median(List<Measured> all) => all.OrderBy(one => one.Seconds).ElementAt(all.Count / 2);

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
