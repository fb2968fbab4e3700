using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// Reads and writes an image network: <c>config.json</c>, safetensors with the names of the usual implementation, and
/// <c>pipelines.json</c> where a config cannot say how wide it is.
/// </summary>
public static class VisionFolder
{
    /// <summary>A copy of the files' tensors, so that it can be trained in place.</summary>
    /// <param name="dtype">What is computed with; null for float32.</param>
    /// <exception cref="ModelException">Config, manifest and tensors disagree, or describe something that does not run here.</exception>
    /// <exception cref="SafetensorsException">A file is malformed, or there is none.</exception>
    public static ImageClassifier Load(string folder, Device device, ScalarType? dtype = null)
    {
        using var scope = NewDisposeScope();
        var config = ImageConfig.Read(Path.Combine(folder, "config.json"));
        var manifest = VisionManifest.Read(folder, config.Graph);
        using var files = SafetensorsFolder.Open(folder);
        var network = new ImageClassifier(
            config,
            [
                .. files.Names.Select(name => (name, Copy(name, files.View(name)))),
                .. (manifest?.Shortcuts ?? new Dictionary<string, long[]>()).Select(shortcut => ($"{shortcut.Key}.sources", tensor(shortcut.Value, device: device))),
            ],
            folder);
        try
        {
            manifest?.Check(network, folder);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }

        Tensor Copy(string name, Tensor stored)
        {
            var count = name.EndsWith(".num_batches_tracked", StringComparison.Ordinal);
            if (count ? stored.dtype != ScalarType.Int64 : !stored.is_floating_point())
                throw new ModelException($"{folder}: tensor '{name}' is of type {stored.dtype}: expected {(count ? "Int64" : "floating point")}");
            return count ? stored.clone().to(device) : stored.to(dtype ?? ScalarType.Float32, copy: true).to(device);
        }
    }

    /// <summary>
    /// A new network as torchvision starts its ResNets: convolutions normal by He et al. (arXiv:1502.01852) over their outputs,
    /// norms 1 and 0, linears uniform within 1/√in.
    /// </summary>
    public static ImageClassifier Create(ImageConfig config, long seed)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var generator = new Generator((ulong)seed, CPU);
        var tensors = VisionTensors.Of(config.Graph).Where(tensor => !tensor.Optional && !tensor.Listed).ToArray();
        var inputs = tensors.Where(tensor => tensor.Shape.Length == 2).ToDictionary(tensor => Bias(tensor.Name), tensor => tensor.Shape[1]);
        return new ImageClassifier(config, tensors.Select(tensor => (tensor.Name, Initial(tensor))).ToArray());

        Tensor Initial(VisionTensor tensor) => tensor.Shape switch
        {
            [var channels, _, var height, var width] => empty(tensor.Shape).normal_(0, Math.Sqrt(2.0 / (channels * height * width)), generator: generator),
            [_, var columns] => Uniform(tensor.Shape, columns),
            _ when inputs.TryGetValue(tensor.Name, out var columns) => Uniform(tensor.Shape, columns),
            _ => tensor.Name.EndsWith(".weight", StringComparison.Ordinal) || tensor.Name.EndsWith(".running_var", StringComparison.Ordinal)
                ? ones(tensor.Shape)
                : zeros(tensor.Shape),
        };

        Tensor Uniform(long[] shape, long columns) => empty(shape).uniform_(-1 / Math.Sqrt(columns), 1 / Math.Sqrt(columns), generator: generator);
    }

    /// <summary>Writes config, tensors, and the manifest if one is needed. Equal networks give equal bytes.</summary>
    /// <returns>Whether a manifest was needed.</returns>
    public static bool Save(ImageClassifier network, string folder)
    {
        var manifest = VisionManifest.Of(network);
        File.WriteAllText(
            Path.Combine(folder, "config.json"),
            network.Config.Write(("pipelines_manifest", manifest is null ? null : (JsonNode)VisionManifest.FileName)));
        if (manifest is not null)
            File.WriteAllText(Path.Combine(folder, VisionManifest.FileName), manifest.Write());
        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"),
            network.NamedParameters().Concat(network.NamedBuffers()).Select(tensor => TensorSource.Of(tensor.Name, tensor.Tensor)),
            new Dictionary<string, string> { ["format"] = "pt" });
        return manifest is not null;
    }

    private static string Bias(string weight) => $"{weight[..^".weight".Length]}.bias";
}
