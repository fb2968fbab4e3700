using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>
/// What an optimizer remembers of one parameter: steps taken, and tensors of the parameter's shape. A tensor that the
/// method has not needed yet is null.
/// </summary>
public abstract class OptimizerState : IDisposable
{
    private readonly Parameter parameter;
    private readonly Tensor?[] tensors;

    private protected OptimizerState(Parameter parameter, int tensors)
    {
        this.parameter = parameter;
        this.tensors = new Tensor?[tensors];
    }

    public long step { get; set; }

    public void SaveStateDict(BinaryWriter writer)
    {
        writer.Write(step);
        foreach (var tensor in tensors)
        {
            writer.Write(tensor is not null);
            if (tensor is null)
                continue;
            writer.Write((sbyte)tensor.dtype);
            using var onCpu = tensor.cpu();
            using var plain = onCpu.contiguous();
            writer.Flush();
            plain.WriteBytesToStream(writer.BaseStream);
        }
    }

    /// <exception cref="InvalidDataException">The stream does not hold state for a tensor of this shape.</exception>
    /// <exception cref="EndOfStreamException">It ends too early.</exception>
    public void LoadStateDict(BinaryReader reader)
    {
        step = reader.ReadInt64();
        for (var i = 0; i < tensors.Length; i++)
        {
            if (!reader.ReadBoolean())
            {
                Set(i, null);
                continue;
            }

            var dtype = (ScalarType)reader.ReadSByte();
            if (!Enum.IsDefined(dtype))
                throw new InvalidDataException($"{(sbyte)dtype} is no dtype: the stream holds no optimizer state");
            using var loaded = torch.empty(parameter.shape, dtype);
            loaded.ReadBytesFromStream(reader.BaseStream);
            Set(i, loaded.to(parameter.device, copy: true));
        }
    }

    public void LoadStateDict(OptimizerState source)
    {
        step = source.step;
        for (var i = 0; i < tensors.Length; i++)
            Set(i, source.tensors[i]?.to(parameter.device, copy: true));
    }

    public void to(Device device)
    {
        for (var i = 0; i < tensors.Length; i++)
            Set(i, tensors[i]?.to(device, copy: true));
    }

    public void Dispose()
    {
        for (var i = 0; i < tensors.Length; i++)
            Set(i, null);
        GC.SuppressFinalize(this);
    }

    private protected Tensor? Get(int slot) => tensors[slot];

    /// <summary>Takes the tensor over, out of any dispose scope.</summary>
    private protected void Set(int slot, Tensor? tensor)
    {
        tensors[slot]?.Dispose();
        tensors[slot] = tensor?.DetachFromDisposeScope();
    }
}
