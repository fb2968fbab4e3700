using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// A block that uses the weights of another and adds a difference of low rank, with a norm behind each half that keeps a
/// bad fit from drowning the residual stream (FlexiGPT, arXiv:2501.14713).
/// </summary>
public static class SharedBlock
{
    /// <summary>
    /// The difference of each linear is the best of its rank: of <c>W_replaced − W_base = U Σ Vᵀ</c> the largest singular
    /// values, <c>B = (U Σ)[:, :r]</c>, <c>A = Vᵀ[:r]</c>. Norms and biases are copies of the replaced block's.
    /// </summary>
    /// <param name="replaced">Index of the block that it takes the place of.</param>
    /// <param name="owner">Index of the block whose weights it uses.</param>
    /// <param name="rank">Of each difference; 0 for none.</param>
    /// <param name="gamma">What the output norms start at.</param>
    /// <exception cref="ModelException">The blocks differ in shape, or the base has no weights of its own.</exception>
    public static DecoderBlock Create(CausalLM model, int replaced, int owner, int rank, double gamma)
    {
        var (old, used) = (model.Blocks[replaced], model.Blocks[owner]);
        if (old.Linears.Count != used.Linears.Count || old.Linears.Zip(used.Linears).Any(pair => !Fits(pair.First, pair.Second)))
            throw new ModelException($"block {replaced} cannot use the weights of block {owner}: their shapes differ, or they are not its own");
        return Build(model.Config, model.Config.Names.Layer(replaced), old, gamma, linear =>
        {
            var source = used.Linears[old.Linears.Index().Single(one => one.Item == linear).Index];
            return (source, rank == 0 ? null : LowRank(linear.Weight - source.Weight, rank));
        });
    }

    /// <summary>A repetition of a block: its weights, with a difference that is 0 at the start and can be trained (A as in peft, B zero).</summary>
    /// <param name="owner">Index of the block whose weights it uses.</param>
    public static DecoderBlock Repeat(CausalLM model, int owner, int rank, double gamma, Generator generator)
    {
        var used = model.Blocks[owner];
        if (used.Linears.Any(linear => !Fits(linear, linear)))
            throw new ModelException($"block {owner} has the weights of another, or reads chosen channels: it cannot be repeated");
        return Build(model.Config, model.Config.Names.Layer(owner), used, gamma, linear => (linear, rank == 0 ? null : Untrained(linear)));

        (Tensor B, Tensor A) Untrained(Linear linear)
        {
            var bound = 1 / Math.Sqrt(linear.Weight.shape[1]);
            return (
                zeros(linear.Weight.shape[0], rank, device: linear.Weight.device),
                empty(rank, linear.Weight.shape[1]).uniform_(-bound, bound, generator: generator).to(linear.Weight.device));
        }
    }

    /// <summary>The largest part of a difference that a rank can hold.</summary>
    /// <param name="difference">[out, in].</param>
    /// <returns>B [out, rank] and A [rank, in], whose product is nearest to it.</returns>
    public static (Tensor B, Tensor A) LowRank(Tensor difference, int rank)
    {
        using var scope = NewDisposeScope();
        var (u, s, v) = linalg.svd(difference, fullMatrices: false);
        var kept = Math.Min(rank, s.shape[0]);
        return (
            (u.narrow(1, 0, kept) * s.narrow(0, 0, kept)).contiguous().MoveToOuterDisposeScope(),
            v.narrow(0, 0, kept).contiguous().MoveToOuterDisposeScope());
    }

    private static bool Fits(Linear old, Linear used) =>
        used.Shared is null && old.Weight.shape.SequenceEqual(used.Weight.shape) && used.Reads is null && used.Writes is null;

    /// <param name="name">The block's.</param>
    /// <param name="old">Gives norms, biases and widths.</param>
    /// <param name="share">Of one of its linears: whose weight the new one uses, and the difference.</param>
    private static DecoderBlock Build(
        CausalConfig config, string name, DecoderBlock old, double gamma, Func<Linear, (Linear Base, (Tensor B, Tensor A)? Difference)> share)
    {
        using var scope = NewDisposeScope();
        var linears = old.Linears.ToDictionary(linear => linear, linear =>
        {
            var (shared, difference) = share(linear);
            return new Linear(linear.Name, shared, linear.Bias?.clone().DetachFromDisposeScope())
            {
                Delta = difference is var (b, a)
                    ? new LoraAdapter(a.DetachFromDisposeScope(), b.DetachFromDisposeScope(), 1, keep: null)
                    : null,
            };
        });
        return new DecoderBlock(
            old.Attention is null ? null : Attention(old.Attention, linears), old.Mlp is null ? null : Mlp(old.Mlp, linears))
        {
            AttentionNorm = Copy(old.AttentionNorm),
            MlpNorm = old.MlpNorm is null ? null : Copy(old.MlpNorm),
            AttentionOutputNorm = OutputNorm(DecoderBlock.AttentionOutputNormName),
            MlpOutputNorm = OutputNorm(DecoderBlock.MlpOutputNormName),
        };

        Norm OutputNorm(string part) => new(
            $"{name}.{part}", NormKind.Layer, full_like(old.AttentionNorm.Weight, gamma).DetachFromDisposeScope(), null, config.NormEps);
    }

    private static Attention Attention(Attention old, Dictionary<Linear, Linear> linears) => new()
    {
        Query = linears[old.Query],
        Key = linears[old.Key],
        Value = linears[old.Value],
        Output = linears[old.Output],
        KeyDim = old.KeyDim,
        ValueDim = old.ValueDim,
        Scale = old.Scale,
        Windowed = old.Windowed,
    };

    private static Mlp Mlp(Mlp old, Dictionary<Linear, Linear> linears) => new()
    {
        Gate = old.Gate is null ? null : linears[old.Gate],
        Up = linears[old.Up],
        Down = linears[old.Down],
        Activation = old.Activation,
    };

    private static Norm Copy(Norm norm) => new(
        norm.Name, norm.Kind, norm.Weight.clone().DetachFromDisposeScope(), norm.Bias?.clone().DetachFromDisposeScope(), norm.Epsilon);
}
