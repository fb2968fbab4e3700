using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// A model's folder, opened: all of it can be loaded, or its blocks one by one, so that a model larger than memory can be
/// walked through.
/// </summary>
public sealed class CausalSource : IDisposable
{
    private readonly SafetensorsFolder files;
    private readonly Device device;
    private readonly ScalarType? dtype;
    private readonly bool stored;
    private readonly IReadOnlyList<LayerShape> shapes;
    private readonly CausalAssembly assembly;
    private readonly Dictionary<string, ScalarType> types = [];

    private CausalSource(string folder, Device device, ScalarType? dtype, bool stored)
    {
        this.stored = stored;
        Config = CausalConfig.Read(Path.Combine(folder, "config.json"));
        shapes = ExportManifest.Read(folder, Config);
        files = SafetensorsFolder.Open(folder);
        (this.device, this.dtype) = (device, dtype);
        assembly = new CausalAssembly(Config, Tensor, files.Contains);
    }

    public CausalConfig Config { get; }

    public int BlockCount => shapes.Count;

    public Device Device => device;

    /// <summary>What is computed with; the files may hold a narrower type.</summary>
    public ScalarType Dtype => Arithmetic(dtype ?? files.Dtype($"{Config.Names.Embedding}.weight"));

    /// <summary>Channels of the residual stream before the first block.</summary>
    public int Width => shapes[0].Widths?.Before ?? Config.HiddenSize;

    /// <param name="dtype">What the values are rounded to, and saved as; null for the file's own.</param>
    /// <exception cref="ModelException">The config or the manifest cannot be read.</exception>
    /// <exception cref="SafetensorsException">A file is malformed, or there is none.</exception>
    public static CausalSource Open(string folder, Device device, ScalarType? dtype = null) => new(folder, device, dtype, stored: false);

    /// <summary>For who computes nothing: half precision stays as it is, so that all tensors are views of the files.</summary>
    /// <inheritdoc cref="Open"/>
    public static CausalSource OpenStored(string folder) => new(folder, CPU, null, stored: true);

    /// <exception cref="ModelException">The config disagrees with the tensors.</exception>
    public CausalLM Load()
    {
        using var scope = NewDisposeScope();
        var model = assembly.Build(shapes);
        model.FileTypes = types;
        return model;
    }

    /// <exception cref="ModelException">The config disagrees with the tensors.</exception>
    public DecoderBlock LoadBlock(int index)
    {
        using var scope = NewDisposeScope();
        return assembly.Block(index, shapes[index]);
    }

    /// <summary>What the first block reads. Only the rows that the tokens name are read of the tables.</summary>
    /// <param name="tokens">[B, T], int64.</param>
    /// <returns>[B, T, hidden].</returns>
    /// <exception cref="ModelException">The config disagrees with the tensors.</exception>
    public Tensor Embed(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var table = Stored($"{Config.Names.Embedding}.weight", [Config.VocabSize, Width]);
        var rows = Computed(table.index_select(0, tokens.reshape(-1).cpu())).view(tokens.shape[0], tokens.shape[1], Width);
        if (Config.Names.Positions is { } positions)
        {
            var places = Stored($"{positions}.weight", [Config.PositionOffset + Config.MaxPositionEmbeddings, Width]);
            rows = rows + Computed(places.narrow(0, Config.PositionOffset, tokens.shape[1]));
        }

        return rows.MoveToOuterDisposeScope();
    }

    public void Dispose() => files.Dispose();

    private Tensor Tensor(string name, long[] shape)
    {
        var stored = Stored(name, shape);
        if (stored.dtype == ScalarType.Int64)
            return stored.to(device);
        types[name] = dtype ?? stored.dtype;
        return Computed(stored);
    }

    /// <summary>As it is computed with: rounded to the type that was asked for, on the device.</summary>
    private Tensor Computed(Tensor stored)
    {
        var type = dtype ?? stored.dtype;
        return stored.to(type).to(Arithmetic(type)).to(device);
    }

    /// <summary>A view of the file, of the shape that the config asks for.</summary>
    private Tensor Stored(string name, long[] shape)
    {
        if (!files.Contains(name))
            throw new ModelException($"{files.Folder}: tensor '{name}' is missing; config.json asks for it with shape {Text(shape)}");
        var found = files.Entry(name).Shape;
        if (!found.SequenceEqual(shape))
            throw new ModelException($"{files.Folder}: tensor '{name}' has shape {Text(found)}; config.json asks for {Text(shape)}");
        return files.View(name);
    }

    private ScalarType Arithmetic(ScalarType type) =>
        !stored && device.type == TorchSharp.DeviceType.CPU && type is (ScalarType.Float16 or ScalarType.BFloat16) ? ScalarType.Float32 : type;

    private static string Text(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
