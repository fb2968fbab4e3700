using System.Text;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Cli;

/// <summary>Model folders that are not what they should be, given to the real program: the run fails and says why.</summary>
public sealed class RefusedModelTests : IDisposable
{
    private readonly Place place = new();

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task Each_says_what_is_wrong_with_it_and_nothing_is_left()
    {
        (string Name, Action<string> Damage, string[] Said)[] cases =
        [
            ("absent", folder => Directory.Delete(folder, recursive: true), ["there is no directory", "absent"]),
            ("missing", folder => File.Delete($"{folder}/model.safetensors"), ["neither model.safetensors nor"]),
            ("truncated", folder => Cut($"{folder}/model.safetensors", 5000), ["model.safetensors", "bytes"]),
            ("empty", folder => Cut($"{folder}/model.safetensors", 0), ["model.safetensors", "bytes"]),
            ("lying", Lie, ["model.safetensors", "header"]),
            ("pickle", Pickle, ["pytorch_model.bin is a pickle", "it is not read"]),
            ("disagreeing", folder => Replace($"{folder}/config.json", "\"intermediate_size\": 24", "\"intermediate_size\": 25"), ["gate_proj", "25", "24"]),
            ("unconfigured", folder => File.Delete($"{folder}/config.json"), ["config.json"]),
            ("other", folder => Replace($"{folder}/config.json", "\"llama\"", "\"mamba\""), ["mamba", "llama"]),
            ("wordless", folder => File.Delete($"{folder}/tokenizer.json"), ["tokenizer.json"]),
        ];
        foreach (var (name, damage, _) in cases)
            damage(TinyModel.Save(place[name]));
        var loads = cases.Select(one => $$"""{ "id": "{{one.Name}}", "kind": "model.load", "parameters": { "path": "{{place[one.Name]}}" } }""");
        place.Write("w.json", $$"""{ "name": "w", "stages": [{{string.Join(", ", loads)}}] }""");

        var ended = await place.RunAsync("run", "w.json", "--out", "results");

        Assert.Equal(1, ended.Code);
        var messages = ended.Message.Split("error: ").Skip(1).ToArray();
        foreach (var (name, _, said) in cases)
        {
            var message = Assert.Single(messages, one => one.StartsWith($"stage {name} (model.load) failed:", StringComparison.Ordinal));
            Assert.All(said, part => Assert.Contains(part, message, StringComparison.Ordinal));
        }

        Assert.DoesNotContain("Exception", ended.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", ended.Errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(place["results"]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(place.Data, "artifacts")));
    }

    private static void Cut(string file, int bytes) => File.WriteAllBytes(file, File.ReadAllBytes(file)[..bytes]);

    private static void Replace(string file, string old, string now)
    {
        var text = File.ReadAllText(file);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(old, now, StringComparison.Ordinal));
    }

    private static void Lie(string folder)
    {
        // The header claims to be as long as a petabyte.
        var bytes = File.ReadAllBytes($"{folder}/model.safetensors");
        BitConverter.TryWriteBytes(bytes, 1L << 50);
        File.WriteAllBytes($"{folder}/model.safetensors", bytes);
    }

    private static void Pickle(string folder)
    {
        File.Delete($"{folder}/model.safetensors");
        File.WriteAllText($"{folder}/pytorch_model.bin", "\u0080\u0002}q\0.", Encoding.Latin1);
    }
}
