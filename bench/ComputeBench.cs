using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Bench;

/// <summary>
/// The same work from C# and from Python, in the same LibTorch, on the same files, one process each, in turn, with nothing
/// else running. The model has hidden 512, 8 layers, 4 heads of 128, 1,376 neurons; sequences have 512 tokens.
/// </summary>
/// <param name="reference">A checkout of the reference's own Wanda, to time in place of our plain script; null for none.</param>
public sealed class ComputeBench(
    string self, string peers, string python, string? reference, int threads, int rounds, Action<string> say)
{
    private const int Sequences = 32;
    private const int Length = 512;
    private const int Vocabulary = 4096;

    /// <summary>Thrown when a side cannot run; the message says what to install.</summary>
    public sealed class UnavailableException(string message) : Exception(message);

    public IReadOnlyList<Compared> Run()
    {
        var folder = Directory.CreateTempSubdirectory("pipelines-bench-").FullName;
        try
        {
            var tokens = Prepare(folder);
            return [.. ComputeWork.Methods.Select(method => Compare(method, folder, tokens))];
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
            theirs.Add(Measure(python, [Path.Combine(peers, "compute.py"), .. Peer(method, folder, tokens)]));
        }

        return new Compared(method, Median(ours), Median(theirs));
    }

    private string[] Peer(string method, string folder, string tokens) => (method, reference) switch
    {
        ("wanda" or ComputeWork.DenseWanda, { } path) => ["wanda-reference", folder, tokens, Text(threads), path],
        (ComputeWork.DenseWanda, _) => ["wanda", folder, tokens, Text(threads)],
        _ => [method, folder, tokens, Text(threads)],
    };

    internal static Measured Measure(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };

        // Ours limits how long idle OpenMP threads spin. Python gets the same, or what else runs here would decide.
        start.Environment.TryAdd("GOMP_SPINCOUNT", "2000");
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new UnavailableException($"{program} {arguments[0]}: {errors.Result.Trim()}");
        var json = JsonNode.Parse(output.Trim().Split('\n')[^1])!;
        return new Measured(
            json["seconds"]!.GetValue<double>(), json["tokens_per_second"]!.GetValue<double>(),
            json["peak_mb"]!.GetValue<double>(), json["result"]!.GetValue<double>());
    }

    /// <summary>A random model and random tokens: what is timed does not depend on their values.</summary>
    private static string Prepare(string folder)
    {
        var config = CausalConfig.Parse("bench", new JsonObject
        {
            ["architectures"] = new JsonArray("LlamaForCausalLM"),
            ["model_type"] = "llama",
            ["hidden_size"] = 512,
            ["intermediate_size"] = 1376,
            ["num_hidden_layers"] = 8,
            ["num_attention_heads"] = 4,
            ["num_key_value_heads"] = 4,
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
        SafetensorsWriter.Write(path, [TensorSource.Of("tokens", randint(Vocabulary, [Sequences, Length], dtype: ScalarType.Int64))]);
        return path;
    }

    internal static Measured Median(List<Measured> all) => all.OrderBy(one => one.Seconds).ElementAt(all.Count / 2);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Medians of both sides.</summary>
public sealed record Compared(string Method, Measured Ours, Measured Python)
{
    /// <summary>Ours over Python's: below 1 is faster.</summary>
    public double TimeRatio => Ours.Seconds / Python.Seconds;

    public double MemoryRatio => Ours.PeakMb / Python.PeakMb;

    /// <summary>Whether both sides found the same, to what different orders of summation allow; null where they compute different things.</summary>
    public bool? Agrees => Method is "train" or ComputeWork.DenseWanda
        ? null
        : Math.Abs(Ours.Result - Python.Result) <= 1e-4 * Math.Abs(Python.Result);

    public static string Line(IEnumerable<Compared> all) => JsonSerializer.Serialize(all.ToDictionary(one => one.Method, one => new
    {
        seconds = one.Ours.Seconds,
        tokens_per_second = one.Ours.TokensPerSecond,
        peak_mb = one.Ours.PeakMb,
        python_seconds = one.Python.Seconds,
        python_tokens_per_second = one.Python.TokensPerSecond,
        python_peak_mb = one.Python.PeakMb,
        time_ratio = one.TimeRatio,
        memory_ratio = one.MemoryRatio,
        agrees = one.Agrees,
    }));
}
