using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// LoRA (Hu et al., arXiv:2106.09685): the update <c>scale · B A</c> of a linear's weight, of low rank.
/// </summary>
/// <param name="a">[rank, in].</param>
/// <param name="b">[out, rank].</param>
/// <param name="keep">
/// [out, in], 1 where the weight may change: the update is <c>scale · (B A) ⊙ keep</c>, so that a sparse weight stays
/// sparse when the adapter is merged (MaskLoRA of PERP, arXiv:2312.15230). Null for a dense update.
/// </param>
public sealed class LoraAdapter(Tensor a, Tensor b, double scale, Tensor? keep) : IDisposable
{
    public Tensor A => a;

    public Tensor B => b;

    public double Scale => scale;

    public Tensor Forward(Tensor x, Tensor weight, Tensor? bias)
    {
        if (keep is not null)
            return nn.functional.linear(x, weight.addcmul(b.matmul(a), keep, scale), bias);

        // Through the narrow side first; the wide product is added in place.
        var width = weight.shape[0];
        var y = nn.functional.linear(x, weight, bias);
        var narrow = nn.functional.linear(x, a).mul_(scale).reshape(-1, a.shape[0]);
        return y.view(-1, width).addmm_(narrow, b.t()).view(y.shape);
    }

    /// <summary>The weight with the update in it, in the weight's dtype.</summary>
    public Tensor Merge(Tensor weight)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var update = b.matmul(a).mul_(scale);
        if (keep is not null)
            update.mul_(keep);
        return (weight.to(update.dtype) + update).to(weight.dtype).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        a.Dispose();
        b.Dispose();
        keep?.Dispose();
    }
}
