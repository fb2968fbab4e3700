using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// SliceGPT's computation (arXiv:2401.15024, section 3): an RMS norm without gain commutes with a turn of its input, so
/// the residual stream may be given any basis, and a different one at each place if the shortcuts change it. A layer norm is
/// such a norm of a stream whose mean was taken from whatever writes it.
/// </summary>
public static class Slicegpt
{
    // Of the mean of the diagonal, as released.
    private const double Damping = 0.01;

    /// <summary>
    /// Puts the gains and shifts of the blocks' norms into the linears that read them, and gives a tied head a matrix of its
    /// own. Layer norms become RMS norms: embeddings and outputs lose their mean over the channels.
    /// </summary>
    /// <exception cref="StageException">The model is of a kind that is not turned here.</exception>
    public static void Fuse(CausalLM model, SlicegptEmbedding embedding)
    {
        Check(model);
        using var scope = NewDisposeScope();
        var layered = model.Norm.Kind == NormKind.Layer;
        FuseHead(model);
        if (layered || embedding == SlicegptEmbedding.Centered)
            model.SetEmbedding(Centered(model.Embedding, 1));
        if (layered && model.PositionEmbedding is not null)
            model.SetPositionEmbedding(Centered(model.PositionEmbedding, 1));
        foreach (var block in model.Blocks)
        {
            var (attention, mlp) = (block.Attention!, block.Mlp!);
            if (layered)
            {
                foreach (var output in new[] { attention.Output, mlp.Down })
                {
                    output.SetWeight(Centered(output.Weight, 0));
                    output.SetBias(output.Bias is null ? null : Centered(output.Bias, 0));
                }
            }

            Linear[] reads = [attention.Query, attention.Key, attention.Value], fed = [.. mlp.Linears.Where(linear => linear != mlp.Down)];
            Into(block.AttentionNorm, block.MlpNorm is null ? [.. reads, .. fed] : reads);
            if (block.MlpNorm is not null)
                Into(block.MlpNorm, fed);
        }
    }

    /// <summary>Turns and cuts a fused model in place, block after block, each on what the cut ones before it put out.</summary>
    /// <param name="tokens">[sequences, length], int64.</param>
    /// <param name="width">Channels that stay; behind the last block all do.</param>
    /// <returns>
    /// The eigenvalues of each place, from the largest: the embedding, then each block's middle, unless it is parallel, and
    /// end, [hidden] in double. A layer norm behind the last block reads the basis that it knows, which has none.
    /// </returns>
    public static IReadOnlyList<Tensor> Run(
        CausalLM model, Tensor tokens, int width, ReportProgress report, CancellationToken cancellation)
    {
        var spectra = new List<Tensor>();
        var positions = model.Positions(tokens.shape[1]);

        // In the basis of the dense model throughout; what was cut off is gone from it, but it keeps its width.
        using var hidden = model.Embed(tokens);
        var turn = Components(hidden, spectra, cancellation).narrow(1, 0, width);
        model.SetEmbedding(Turned(model.Embedding, turn));
        if (model.PositionEmbedding is not null)
            model.SetPositionEmbedding(Turned(model.PositionEmbedding, turn));
        foreach (var (index, block) in model.Blocks.Index())
        {
            using var scope = NewDisposeScope();
            var (attention, mlp) = (block.Attention!, block.Mlp!);
            var last = index == model.Blocks.Count - 1;
            foreach (var linear in new[] { attention.Query, attention.Key, attention.Value })
                linear.SetWeight(Turned(linear.Weight, turn));
            Narrow(block.AttentionNorm, hidden.shape[2], width);
            if (block.MlpNorm is null)
            {
                TurnInputs(mlp, turn);
                Pass(hidden, turn, x => Both(block, block.AttentionNorm.Forward(x), positions), cancellation);
                var end = Behind(last);
                block.SetAttentionShortcut(turn.t().matmul(end).to(model.Dtype));
                TurnOutput(attention.Output, end);
                TurnOutput(mlp.Down, end);
                turn = end.MoveToOuterDisposeScope();
            }
            else
            {
                Pass(hidden, turn, x => attention.Forward(block.AttentionNorm.Forward(x), positions, null), cancellation);
                var middle = Components(hidden, spectra, cancellation).narrow(1, 0, width);
                block.SetAttentionShortcut(turn.t().matmul(middle).to(model.Dtype));
                TurnOutput(attention.Output, middle);
                TurnInputs(mlp, middle);
                Narrow(block.MlpNorm, hidden.shape[2], width);
                Pass(hidden, middle, x => mlp.Forward(block.MlpNorm.Forward(x), null), cancellation);
                var end = Behind(last);
                block.SetMlpShortcut(middle.t().matmul(end).to(model.Dtype));
                TurnOutput(mlp.Down, end);
                turn = end.MoveToOuterDisposeScope();
            }

            report(index + 1, model.Blocks.Count, "block");
        }

        model.SetHead(Turned(model.Head!, turn));
        return spectra;

        Tensor Behind(bool last) => last && model.Norm.Kind == NormKind.Layer
            ? eye(hidden.shape[2], dtype: ScalarType.Float64, device: hidden.device)
            : Components(hidden, spectra, cancellation).narrow(1, 0, last ? hidden.shape[2] : width);
    }

    private static void Check(CausalLM model)
    {
        foreach (var block in model.Blocks)
        {
            if (block.Attention is null || block.Mlp is null || block.AttentionShortcut is not null || block.Linears.Any(linear => linear.Reads is not null))
                throw new StageException("prune.slicegpt needs whole blocks that read and write the whole residual stream: slice before other cuts");
            if (block.AttentionNorm.Bias is not null && block.Linears.Any(linear => linear.Bias is null))
                throw new StageException("prune.slicegpt puts the shifts of norms into biases: this model's linears have none");
        }
    }

    /// <summary>An RMS norm's gain goes into the head; a layer norm stays, and reads the basis that it knows.</summary>
    private static void FuseHead(CausalLM model)
    {
        var head = (model.Head ?? model.Embedding).to(ScalarType.Float64);
        if (model.Norm.Kind == NormKind.Rms)
        {
            head = head * model.Norm.Weight.to(ScalarType.Float64);
            model.Norm.SetWeight(ones_like(model.Norm.Weight));
        }

        model.SetHead(head.to(model.Dtype));
    }

    private static Tensor Centered(Tensor tensor, long axis)
    {
        var wide = tensor.to(ScalarType.Float64);
        return (wide - wide.mean([axis], keepdim: true)).to(tensor.dtype);
    }

    private static Tensor Both(DecoderBlock block, Tensor read, Positions positions) =>
        block.Attention!.Forward(read, positions, null) + block.Mlp!.Forward(read, null);

    private static void TurnInputs(Mlp mlp, Tensor basis)
    {
        foreach (var linear in mlp.Linears.Where(linear => linear != mlp.Down))
            linear.SetWeight(Turned(linear.Weight, basis));
    }

    private static void Into(Norm norm, ReadOnlySpan<Linear> linears)
    {
        foreach (var linear in linears)
        {
            var weight = linear.Weight.to(ScalarType.Float64);
            if (norm.Bias is not null)
                linear.SetBias((linear.Bias!.to(ScalarType.Float64) + weight.mv(norm.Bias.to(ScalarType.Float64))).to(linear.Weight.dtype));
            linear.SetWeight((weight * norm.Weight.to(ScalarType.Float64)).to(linear.Weight.dtype));
        }

        norm.Strip();
    }

    private static void Narrow(Norm norm, long hidden, int width)
    {
        norm.SetWeight(norm.Weight.narrow(0, 0, width).clone());
        norm.Divisor = hidden;
    }

    /// <summary>Puts into each sequence's place what is left of it in the basis, and what a half of a block adds.</summary>
    /// <param name="basis">[hidden, width].</param>
    /// <param name="half">Of [1, T, width]: [1, T, hidden].</param>
    private static void Pass(Tensor hidden, Tensor basis, Func<Tensor, Tensor> half, CancellationToken cancellation)
    {
        var turn = basis.to(hidden.dtype);
        for (var sequence = 0L; sequence < hidden.shape[0]; sequence++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var part = hidden.narrow(0, sequence, 1);
            var x = part.matmul(turn);
            part.copy_(x.matmul(turn.t()).add_(half(x)));
        }
    }

    /// <summary>The principal components of ΣXᵀX, the strongest first: [hidden, hidden], double.</summary>
    private static Tensor Components(Tensor hidden, List<Tensor> spectra, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var gram = zeros(hidden.shape[2], hidden.shape[2], dtype: ScalarType.Float64, device: hidden.device);
        for (var sequence = 0L; sequence < hidden.shape[0]; sequence++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var each = NewDisposeScope();
            var x = hidden[sequence].to(ScalarType.Float64);
            gram.addmm_(x.t(), x);
        }

        if (!gram.isfinite().all().ToBoolean())
            throw new StageException("the residual stream holds NaN or infinity on the calibration set");
        gram.diagonal().add_(gram.diagonal().mean() * Damping);
        var (values, vectors) = linalg.eigh(gram);
        spectra.Add(values.flip(0).DetachFromDisposeScope());
        return vectors.flip(1).MoveToOuterDisposeScope();
    }

    /// <summary>A matrix whose columns read the residual stream.</summary>
    private static Tensor Turned(Tensor weight, Tensor basis) =>
        weight.to(ScalarType.Float64).matmul(basis).to(weight.dtype);

    /// <summary>A linear whose rows write it.</summary>
    private static void TurnOutput(Linear linear, Tensor basis)
    {
        linear.SetWeight(basis.t().matmul(linear.Weight.to(ScalarType.Float64)).to(linear.Weight.dtype));
        if (linear.Bias is { } bias)
            linear.SetBias(basis.t().mv(bias.to(ScalarType.Float64)).to(bias.dtype));
    }
}
