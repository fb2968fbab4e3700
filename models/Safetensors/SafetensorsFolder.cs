using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>The tensors of a model folder: <c>model.safetensors</c>, or shards with <c>model.safetensors.index.json</c>.</summary>
public sealed class SafetensorsFolder : IDisposable
{
    private const string SingleFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";

    private static readonly string[] Pickles = [".bin", ".pt", ".pth", ".pkl", ".ckpt"];

    private readonly SortedDictionary<string, SafetensorsFile> files = new(StringComparer.Ordinal);
    private readonly List<SafetensorsFile> opened = [];

    private SafetensorsFolder(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>In ordinal order.</summary>
    public IReadOnlyCollection<string> Names => files.Keys;

    /// <exception cref="SafetensorsException">There are no safetensors, a shard is missing, or a file is malformed.</exception>
    public static SafetensorsFolder Open(string folder)
    {
        var open = new SafetensorsFolder(folder);
        try
        {
            open.OpenFiles();
            return open;
        }
        catch
        {
            open.Dispose();
            throw;
        }
    }

    public bool Contains(string name) => files.ContainsKey(name);

    public TensorEntry Entry(string name) => Find(name).Tensors[name];

    public ScalarType Dtype(string name) => Entry(name).Type;

    /// <inheritdoc cref="SafetensorsFile.View"/>
    public Tensor View(string name) => Find(name).View(name);

    public void Dispose() => opened.ForEach(file => file.Dispose());

    private void OpenFiles()
    {
        var single = Path.Combine(Folder, SingleFile);
        var index = Path.Combine(Folder, IndexFile);
        if (File.Exists(index))
            OpenShards(index);
        else if (File.Exists(single))
            Add(SafetensorsFile.Open(single));
        else
            throw new SafetensorsException(Absent());
    }

    private void OpenShards(string index)
    {
        var map = ReadIndex(index);
        foreach (var shard in map.Values.Distinct().Order(StringComparer.Ordinal))
        {
            if (shard.Length == 0 || Path.GetFileName(shard) != shard || shard is "." or "..")
                throw new SafetensorsException($"{index}: the shard '{shard}' lies outside the model's folder");
            if (!File.Exists(Path.Combine(Folder, shard)))
                throw new SafetensorsException($"{index}: the shard {shard} is missing from {Folder}");
            Add(SafetensorsFile.Open(Path.Combine(Folder, shard)));
        }

        foreach (var (tensor, shard) in map)
        {
            if (!files.TryGetValue(tensor, out var file) || Path.GetFileName(file.Path) != shard)
                throw new SafetensorsException($"{index}: tensor '{tensor}' should be in {shard}, but is not");
        }
    }

    private static Dictionary<string, string> ReadIndex(string index)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(index))!["weight_map"]!.AsObject()
                .ToDictionary(entry => entry.Key, entry => entry.Value!.GetValue<string>());
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NullReferenceException
            or ArgumentException or FormatException or IOException)
        {
            throw new SafetensorsException($"{index}: expected an object weight_map of tensor names to files: {error.Message}", error);
        }
    }

    private void Add(SafetensorsFile file)
    {
        opened.Add(file);
        foreach (var name in file.Tensors.Keys)
        {
            if (!files.TryAdd(name, file))
                throw new SafetensorsException($"{file.Path}: tensor '{name}' is in another shard too");
        }
    }

    private SafetensorsFile Find(string name) => files.TryGetValue(name, out var file)
        ? file
        : throw new SafetensorsException($"{Folder}: there is no tensor '{name}'");

    private string Absent()
    {
        if (!Directory.Exists(Folder))
            return $"{Folder}: there is no such folder";
        var pickle = Directory.EnumerateFiles(Folder)
            .Order(StringComparer.Ordinal)
            .FirstOrDefault(file => Pickles.Contains(Path.GetExtension(file)));
        return pickle is null
            ? $"{Folder}: there is neither {SingleFile} nor {IndexFile}"
            : $"{pickle} is a pickle, which can run any code when it is opened: it is not read. "
                + $"Convert it to {SingleFile} where you trust it";
    }
}
