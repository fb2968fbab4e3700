using System.Runtime.ExceptionServices;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// Walks a model block by block over a calibration set. Only the activations between two blocks are held,
/// [sequences, length, hidden], written over as the walk goes on; of a model that lies in a folder, one block besides.
/// </summary>
public sealed class BlockRunner : IDisposable
{
    // More than this of activations, or of weights that a method made anew, lies in a mapped file.
    private const long MostInMemory = 1 << 25;

    // What sequences beside each other may hold while they are run. Where one needs more, its products are large enough to be divided.
    private const long MostBeside = 120_000_000;

    private readonly Func<int, DecoderBlock> load;
    private readonly bool owned;
    private readonly Positions positions;
    private readonly CancellationToken cancellation;
    private readonly string? scratch;
    private DecoderBlock? block;

    /// <summary>Over a model in memory, whose blocks a method may change as it goes.</summary>
    /// <param name="tokens">[sequences, length], int64.</param>
    /// <param name="scratch">A folder for activations that are large, and for blocks that a method changed; null where neither shall lie in files.</param>
    public BlockRunner(CausalLM model, Tensor tokens, CancellationToken cancellation, string? scratch = null)
    {
        load = index => model.Blocks[index];
        BlockCount = model.Blocks.Count;
        this.cancellation = cancellation;
        this.scratch = model.Linears().Sum(linear => linear.Weight.numel()) * sizeof(float) > MostInMemory ? scratch : null;
        Hidden = Embedded(tokens, model.Embedding.shape[1], model.Dtype, model.Device, scratch, batch => model.Embed(batch));
        positions = model.Positions(tokens.shape[1]);
    }

    /// <summary>Over a model in a folder: each block is loaded when it is come to, and let go when it is left.</summary>
    /// <param name="load">A block by its index, which is this runner's from then on.</param>
    /// <param name="tokens">[sequences, length], int64.</param>
    /// <param name="scratch">A folder for activations that are large.</param>
    public BlockRunner(
        CausalSource source, Func<int, DecoderBlock> load, Tensor tokens, string scratch, CancellationToken cancellation)
    {
        (this.load, owned) = (load, true);
        BlockCount = source.BlockCount;
        this.cancellation = cancellation;
        positions = new Positions(source.Config, tokens.shape[1], source.Dtype, source.Device);
        Hidden = Embedded(tokens, source.Width, source.Dtype, source.Device, scratch, source.Embed);
    }

    public int BlockCount { get; }

    public int Index { get; private set; } = -1;

    public DecoderBlock Block => block ?? throw new InvalidOperationException("the walk is before the first block or behind the last");

    /// <summary>[sequences, length, hidden]: what the block reads, until it is advanced over.</summary>
    public Tensor Hidden { get; }

    /// <summary>Sequences that are run at once, a thread each.</summary>
    internal int? Together { get; init; }

    private bool Last => Index == BlockCount - 1;

    public bool MoveNext()
    {
        Leave();
        if (++Index >= BlockCount)
            return false;
        block = load(Index);
        return true;
    }

    /// <summary>Goes on where another walk stopped.</summary>
    /// <param name="done">Blocks that it had advanced over.</param>
    /// <param name="hidden">What they made, [sequences, length, hidden].</param>
    public void Resume(int done, Tensor hidden)
    {
        Index = done - 1;
        Hidden.copy_(hidden);
    }

    /// <summary>The moments of every linear's input in this block, as it is now; runs the block without its last product.</summary>
    public SharedInputs<InputMoments> Measure(bool spread)
    {
        var moments = new SharedInputs<InputMoments>(() => new InputMoments(spread));
        Observe(moments);
        return moments;
    }

    /// <summary>Shows the sums what every linear of this block reads, as the block is now; runs it without its last product.</summary>
    public void Observe<T>(SharedInputs<T> sums)
        where T : InputSum =>
        Run(sums, (part, hook) =>
        {
            Block.Observe(part, positions, hook!);
            return [];
        });

    /// <summary>Puts what the block makes of its input in its place. Nothing reads what the last block makes.</summary>
    public void Advance()
    {
        if (!Last)
            Run(null, (part, hook) => [Block.Forward(part, positions, hook)], (part, made) => part.copy_(made[0]));
    }

    /// <summary>Measures and advances at once, for a block that stays as it is.</summary>
    public SharedInputs<InputMoments> MeasureAndAdvance(bool spread)
    {
        if (Last)
            return Measure(spread);
        var moments = new SharedInputs<InputMoments>(() => new InputMoments(spread));
        Run(moments, (part, hook) => [Block.Forward(part, positions, hook)], (part, made) => part.copy_(made[0]));
        return moments;
    }

    /// <summary>Runs the block under the eyes of <paramref name="statistics"/>, and advances.</summary>
    /// <param name="successor">What the next block reads the output of; null for this block.</param>
    /// <param name="whole">Whether the last block's output is wanted too.</param>
    public void Gather(BlockStatistics statistics, bool whole, DecoderBlock? successor)
    {
        Run(statistics, Make, Take, apart: statistics.SeesOutputs);

        Tensor[] Make(Tensor part, LinearHook? hook)
        {
            if (Last && !whole)
            {
                Block.Observe(part, positions, hook!);
                return [];
            }

            var made = Block.Forward(part, positions, hook);
            return Last || successor is null ? [made] : [made, successor.Forward(part, positions)];
        }

        void Take(Tensor part, Tensor[] made)
        {
            if (whole)
                statistics.Pass(part, made[0]);
            if (!Last)
                part.copy_(made[^1]);
        }
    }

    public void Dispose()
    {
        Leave();
        Hidden.Dispose();
        if (owned)
            positions.Dispose();
    }

    private void Leave()
    {
        if (owned && block is not null)
        {
            block.Dispose();
            Torch.Extensions.ReturnMemory();
        }
        else if (scratch is not null && block is not null)
        {
            ScratchWeights.Move(block.Linears, scratch);
        }

        block = null;
    }

    /// <summary>
    /// Runs some sequences at a time, each on a thread of its own: small operators on several threads wait for each other more
    /// than they compute. Each sequence gets the same bits as alone, and all are shown and taken in their order.
    /// </summary>
    /// <param name="sums">Are shown what linears read.</param>
    /// <param name="make">What to do with a sequence; what it makes is disposed after it was taken.</param>
    /// <param name="apart">One sequence after the other, with the sums themselves.</param>
    private void Run(SumHook? sums, Func<Tensor, LinearHook?, Tensor[]> make, Action<Tensor, Tensor[]>? take = null, bool apart = false)
    {
        var together = apart ? 1 : Together ?? Fitting();
        if (together == 1)
        {
            // One by itself keeps its activations in the cache (docs/log.md).
            for (var sequence = 0L; sequence < Hidden.shape[0]; sequence++)
            {
                cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var part = Hidden.narrow(0, sequence, 1);
                var made = make(part, sums);
                take?.Invoke(part, made);
            }

            return;
        }

        try
        {
            Torch.Extensions.BesideInOrder(Hidden.shape[0], together, (sequence, turn) =>
            {
                cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var part = Hidden.narrow(0, sequence, 1);
                var made = make(part, sums?.Begin(turn));
                if (take is not null)
                    turn(take, () => take(part, made));
            });
        }
        catch (AggregateException error) when (error.InnerException is { } thrown)
        {
            ExceptionDispatchInfo.Throw(thrown);
        }
    }

    /// <summary>How many sequences there is room for at once: each holds what its linears read, and about as much again on the way.</summary>
    private int Fitting()
    {
        if (Hidden.device_type != TorchSharp.DeviceType.CPU)
            return 1;
        var neurons = Block.Mlp?.IntermediateSize ?? 0;
        var bytes = Hidden.shape[1] * (6 * Hidden.shape[2] + 3L * neurons) * Torch.Extensions.ElementSize(Hidden.dtype);
        return (int)Math.Clamp(MostBeside / bytes, 1, get_num_threads());
    }

    /// <summary>What the first block reads.</summary>
    private static Tensor Embedded(Tensor tokens, long width, ScalarType dtype, Device device, string? scratch, Func<Tensor, Tensor> embed)
    {
        long[] shape = [tokens.shape[0], tokens.shape[1], width];
        var bytes = shape[0] * shape[1] * shape[2] * Torch.Extensions.ElementSize(dtype);
        var hidden = bytes > MostInMemory && scratch is not null && device.type == TorchSharp.DeviceType.CPU
            ? Torch.ScratchTensor.Create(scratch, shape, dtype)
            : empty(shape, dtype: dtype, device: device);
        hidden = hidden.DetachFromDisposeScope();
        for (var sequence = 0L; sequence < shape[0]; sequence++)
        {
            using var scope = NewDisposeScope();
            hidden.narrow(0, sequence, 1).copy_(embed(tokens.narrow(0, sequence, 1)));
        }

        return hidden;
    }
}
