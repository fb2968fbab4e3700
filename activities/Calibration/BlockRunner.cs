using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// Walks a model block by block over a calibration set. Only the activations between two blocks are held,
/// [sequences, length, hidden], written over as the walk goes on; of a model that lies in a folder, one block besides.
/// </summary>
public sealed class BlockRunner : IDisposable
{
    // More than this of activations lies in a mapped file.
    private const long MostInMemory = 1 << 26;

    private readonly Func<int, DecoderBlock> load;
    private readonly bool owned;
    private readonly Positions positions;
    private readonly CancellationToken cancellation;
    private DecoderBlock? block;

    /// <summary>Over a model in memory, whose blocks a method may change as it goes.</summary>
    /// <param name="tokens">[sequences, length], int64.</param>
    public BlockRunner(CausalLM model, Tensor tokens, CancellationToken cancellation)
    {
        load = index => model.Blocks[index];
        BlockCount = model.Blocks.Count;
        this.cancellation = cancellation;
        Hidden = model.Embed(tokens);
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
        Hidden = Embed(source, tokens, scratch);
    }

    public int BlockCount { get; }

    public int Index { get; private set; } = -1;

    public DecoderBlock Block => block ?? throw new InvalidOperationException("the walk is before the first block or behind the last");

    /// <summary>[sequences, length, hidden]: what the block reads, until it is advanced over.</summary>
    public Tensor Hidden { get; }

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
    public BlockMoments Measure(bool spread)
    {
        var moments = new BlockMoments(spread);
        Observe(new InputHook(moments.Add));
        return moments;
    }

    /// <summary>Shows the hook what every linear of this block reads, as the block is now; runs it without its last product.</summary>
    public void Observe(LinearHook hook)
    {
        foreach (var part in Sequences())
        {
            using (part)
                Block.Observe(part, positions, hook);
        }
    }

    /// <summary>Puts what the block makes of its input in its place. Nothing reads what the last block makes.</summary>
    public void Advance()
    {
        if (!Last)
            Replace(null);
    }

    /// <summary>Both at once, for a block that stays as it is.</summary>
    public BlockMoments MeasureAndAdvance(bool spread)
    {
        if (Last)
            return Measure(spread);
        var moments = new BlockMoments(spread);
        Replace(new InputHook(moments.Add));
        return moments;
    }

    /// <summary>Runs the block under the eyes of <paramref name="statistics"/>, and advances.</summary>
    /// <param name="successor">What the next block reads the output of; null for this block.</param>
    /// <param name="whole">Whether the last block's output is wanted too.</param>
    public void Gather(BlockStatistics statistics, bool whole, DecoderBlock? successor)
    {
        foreach (var part in Sequences())
        {
            using (part)
            {
                if (Last && !whole)
                {
                    Block.Observe(part, positions, statistics);
                    continue;
                }

                using var made = Block.Forward(part, positions, statistics);
                if (whole)
                    statistics.Pass(part, made);
                if (Last)
                    continue;
                using var other = successor?.Forward(part, positions);
                part.copy_(other ?? made);
            }
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
        if (owned)
            block?.Dispose();
        block = null;
    }

    private void Replace(LinearHook? hook)
    {
        foreach (var part in Sequences())
        {
            using (part)
            using (var next = Block.Forward(part, positions, hook))
                part.copy_(next);
        }
    }

    private static Tensor Embed(CausalSource source, Tensor tokens, string scratch)
    {
        long[] shape = [tokens.shape[0], tokens.shape[1], source.Width];
        var bytes = shape[0] * shape[1] * shape[2] * Torch.Extensions.ElementSize(source.Dtype);
        var hidden = bytes > MostInMemory && source.Device.type == TorchSharp.DeviceType.CPU
            ? Torch.ScratchTensor.Create(scratch, shape, source.Dtype)
            : empty(shape, dtype: source.Dtype, device: source.Device);
        hidden = hidden.DetachFromDisposeScope();
        for (var sequence = 0L; sequence < shape[0]; sequence++)
        {
            using var scope = NewDisposeScope();
            hidden.narrow(0, sequence, 1).copy_(source.Embed(tokens.narrow(0, sequence, 1)));
        }

        return hidden;
    }

    /// <summary>[1, length, hidden] each: one by itself keeps its activations in the cache (docs/log.md).</summary>
    private IEnumerable<Tensor> Sequences()
    {
        for (var sequence = 0L; sequence < Hidden.shape[0]; sequence++)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return Hidden.narrow(0, sequence, 1);
        }
    }
}
