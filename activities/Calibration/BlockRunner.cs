using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// Walks a model block by block over a calibration set. Only the activations between two blocks are held,
/// [sequences, length, hidden], written over as the walk goes on.
/// </summary>
public sealed class BlockRunner : IDisposable
{
    private readonly CausalLM model;
    private readonly Tensor hidden;
    private readonly Positions positions;
    private readonly CancellationToken cancellation;

    /// <param name="tokens">[sequences, length], int64.</param>
    public BlockRunner(CausalLM model, Tensor tokens, CancellationToken cancellation)
    {
        this.model = model;
        this.cancellation = cancellation;
        hidden = model.Embed(tokens);
        positions = model.Positions(tokens.shape[1]);
    }

    public int Index { get; private set; } = -1;

    public DecoderBlock Block => model.Blocks[Index];

    private bool Last => Index == model.Blocks.Count - 1;

    public bool MoveNext() => ++Index < model.Blocks.Count;

    /// <summary>The moments of every linear's input in this block, as it is now; runs the block without its last product.</summary>
    public BlockMoments Measure(bool spread)
    {
        var moments = new BlockMoments(spread);
        var hook = new InputHook(moments.Add);
        foreach (var part in Sequences())
        {
            using (part)
                Block.Observe(part, positions, hook);
        }

        return moments;
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

    public void Dispose() => hidden.Dispose();

    private void Replace(LinearHook? hook)
    {
        foreach (var part in Sequences())
        {
            using (part)
            using (var next = Block.Forward(part, positions, hook))
                part.copy_(next);
        }
    }

    /// <summary>[1, length, hidden] each: one by itself keeps its activations in the cache (docs/log.md).</summary>
    private IEnumerable<Tensor> Sequences()
    {
        for (var sequence = 0L; sequence < hidden.shape[0]; sequence++)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return hidden.narrow(0, sequence, 1);
        }
    }
}
