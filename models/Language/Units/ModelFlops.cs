namespace Pipelines.Models;

/// <summary>
/// Floating-point operations of a forward pass, by the convention <c>flops-1</c>: two for each multiply-add of the products
/// of the blocks and of the head, and of queries with keys and of weights with values up to each position; nothing for
/// norms, activations, softmax and the embedding's rows.
/// </summary>
public static class ModelFlops
{
    public const string Convention = "flops-1";

    /// <summary>For one token, on average over a sequence of <paramref name="length"/>.</summary>
    public static double PerToken(CausalLM model, int length)
    {
        var head = model.Head ?? model.Embedding;
        return 2.0 * head.numel() + model.Blocks.Sum(block => PerToken(block, model.Config, length));
    }

    /// <summary>Those of one block.</summary>
    public static double PerToken(DecoderBlock block, CausalConfig config, int length)
    {
        var products = 2.0 * block.Linears.Sum(linear => linear.Weight.numel() + (linear.Delta?.A.numel() ?? 0) + (linear.Delta?.B.numel() ?? 0));

        // A token meets its own expert's neurons only.
        if (block.Mlp is { Experts: { } experts } mlp)
        {
            var dense = mlp.Linears.Sum(linear => linear.Weight.numel());
            products += 2.0 * (experts.Router.Weight.numel() - dense * (1 - (double)experts.Width / mlp.IntermediateSize));
        }

        products += 2.0 * ((block.AttentionShortcut?.numel() ?? 0) + (block.MlpShortcut?.numel() ?? 0));
        if (block.Attention is not { } attention)
            return products;

        // A position sees itself and those before it, as far as the window goes.
        var window = attention.Windowed && config.SlidingWindow < length ? config.SlidingWindow.Value : length;
        var seen = (window * (window + 1) / 2.0 + (double)(length - window) * window) / length;
        return products + 2.0 * seen * attention.QueryHeads * (attention.KeyDim + attention.ValueDim);
    }
}
