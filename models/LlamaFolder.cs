using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// Reads and writes a Llama in Hugging Face's layout: <c>config.json</c>, safetensors, and <c>pipelines.json</c> where the
/// blocks' widths differ.
/// </summary>
public static class LlamaFolder
{
    /// <summary>
    /// The tensors of the folder's files. On the CPU they are views of the mapped files: nothing is read before it is used.
    /// Half precision is the exception: there the CPU's operators are slow or absent, so float32 computes with its values.
    /// </summary>
    /// <param name="dtype">What the values are rounded to, and saved as; null for the file's own.</param>
    /// <exception cref="ModelException">The config disagrees with the tensors, or describes something else than a Llama.</exception>
    /// <exception cref="SafetensorsException">A file is malformed, or there is none.</exception>
    public static Llama Load(string folder, Device device, ScalarType? dtype = null)
    {
        var config = LlamaConfig.Read(Path.Combine(folder, "config.json"));
        var shapes = ExportManifest.Read(folder, config);
        using var files = SafetensorsFolder.Open(folder);
        return new Loading(config, files, device, dtype).Read(shapes);
    }

    /// <summary>A new model with Hugging Face's initial weights: normal with deviation 0.02, norms 1.</summary>
    public static Llama Create(LlamaConfig config, long seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        return new Assembly(config, (_, shape) => shape.Length == 1
            ? ones(shape)
            : empty(shape).normal_(0, 0.02, generator: generator)).Build(ExportManifest.Plain(config), _ => false);
    }

    /// <summary>Writes config, tensors, and the manifest if one is needed. Equal models give equal bytes.</summary>
    /// <returns>Whether a manifest was needed.</returns>
    public static bool Save(Llama model, string folder)
    {
        var shapes = model.Blocks.Select(block => new LayerShape(
            block.KeyValueHeads, block.IntermediateSize, HasOutputBiases(model.Config, block))).ToArray();
        var uniform = shapes.Distinct().Count() == 1 && !shapes[0].OutputBiases
            && shapes[0].KeyValueHeads == model.Config.NumKeyValueHeads;
        File.WriteAllText(Path.Combine(folder, "config.json"), Config(model, uniform));
        if (!uniform)
            File.WriteAllText(Path.Combine(folder, ExportManifest.FileName), ExportManifest.Write(shapes));

        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"),
            model.NamedParameters().Select(parameter => TensorSource.Of(parameter.Name, parameter.Tensor, model.FileType(parameter.Name))),
            new Dictionary<string, string> { ["format"] = "pt" });
        return !uniform;
    }

    // A plain config can say one width for all neurons; everything else needs the manifest.
    private static string Config(Llama model, bool uniform) => model.Config.Write(
        ("intermediate_size", uniform ? model.Blocks[0].IntermediateSize : model.Config.IntermediateSize),
        ("torch_dtype", model.FileType("model.embed_tokens.weight").ToString().ToLowerInvariant()),
        ("pipelines_manifest", uniform ? null : (JsonNode)ExportManifest.FileName));

    private static bool HasOutputBiases(LlamaConfig config, LlamaBlock block) =>
        (block.Output.Bias is not null && !config.AttentionBias) || (block.Down.Bias is not null && !config.MlpBias);

    private sealed class Loading(LlamaConfig config, SafetensorsFolder files, Device device, ScalarType? dtype)
    {
        private readonly Dictionary<string, ScalarType> types = [];

        public Llama Read(IReadOnlyList<LayerShape> shapes)
        {
            using var scope = NewDisposeScope();
            var model = new Assembly(config, Tensor).Build(shapes, files.Contains);
            model.FileTypes = types;
            return model;
        }

        private Tensor Tensor(string name, long[] shape)
        {
            if (!files.Contains(name))
                throw new ModelException($"{files.Folder}: tensor '{name}' is missing; config.json asks for it with shape {Text(shape)}");
            var found = files.Entry(name).Shape;
            if (!found.SequenceEqual(shape))
                throw new ModelException($"{files.Folder}: tensor '{name}' has shape {Text(found)}; config.json asks for {Text(shape)}");
            var type = types[name] = dtype ?? files.Dtype(name);
            return files.View(name).to(type).to(Arithmetic(type)).to(device);
        }

        private ScalarType Arithmetic(ScalarType type) =>
            device.type == TorchSharp.DeviceType.CPU && type is (ScalarType.Float16 or ScalarType.BFloat16) ? ScalarType.Float32 : type;

        private static string Text(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
    }

    /// <summary>Puts a Llama together from tensors asked for by name and shape.</summary>
    private sealed class Assembly(LlamaConfig config, Func<string, long[], Tensor> read)
    {
        /// <param name="has">Whether there is such a tensor, where the config leaves it open.</param>
        public Llama Build(IReadOnlyList<LayerShape> shapes, Func<string, bool> has)
        {
            var hidden = (long)config.HiddenSize;
            return new Llama(
                config,
                Keep("model.embed_tokens.weight", config.VocabSize, hidden),
                [.. shapes.Select((shape, layer) => Block($"model.layers.{layer}", shape, has))],
                Norm("model.norm"),
                config.TieWordEmbeddings ? null : Keep("lm_head.weight", config.VocabSize, hidden));
        }

        private LlamaBlock Block(string name, LayerShape shape, Func<string, bool> has)
        {
            var group = config.NumAttentionHeads / config.NumKeyValueHeads;
            var keys = (long)shape.KeyValueHeads * config.HeadDim;
            var (queries, hidden, width) = (keys * group, (long)config.HiddenSize, (long)shape.IntermediateSize);
            return new LlamaBlock
            {
                HeadDim = config.HeadDim,
                InputNorm = Norm($"{name}.input_layernorm"),
                Query = Linear($"{name}.self_attn.q_proj", queries, hidden, config.AttentionBias),
                Key = Linear($"{name}.self_attn.k_proj", keys, hidden, config.AttentionBias),
                Value = Linear($"{name}.self_attn.v_proj", keys, hidden, config.AttentionBias),
                Output = Linear($"{name}.self_attn.o_proj", hidden, queries, config.AttentionBias || shape.OutputBiases),
                PostAttentionNorm = Norm($"{name}.post_attention_layernorm"),
                Gate = Linear($"{name}.mlp.gate_proj", width, hidden, config.MlpBias),
                Up = Linear($"{name}.mlp.up_proj", width, hidden, config.MlpBias),
                Down = Linear($"{name}.mlp.down_proj", hidden, width, config.MlpBias || shape.OutputBiases),
            };

            Linear Linear(string linear, long rows, long columns, bool biased)
            {
                var bias = $"{linear}.bias";
                if (!biased && has(bias))
                    throw new ModelException($"tensor '{bias}' is there, but neither config.json nor {ExportManifest.FileName} tells of it");
                return new Linear(linear, Keep($"{linear}.weight", rows, columns), biased ? Keep(bias, rows) : null);
            }
        }

        private RmsNorm Norm(string name) => new(name, Keep($"{name}.weight", config.HiddenSize), config.RmsNormEps);

        private Tensor Keep(string name, params long[] shape) => read(name, shape).DetachFromDisposeScope();
    }
}
