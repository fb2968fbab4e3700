using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// Experts that a dense MLP was divided into: each is some of its neurons, all are of one size, and a router sends every
/// token to one of them (ToMoE, arXiv:2501.15316).
/// </summary>
/// <param name="router">[experts, hidden]: the expert of the largest output gets the token.</param>
/// <param name="members">[experts, width], int64: an expert's neurons. A neuron may belong to several.</param>
public sealed class Experts(Linear router, Tensor members) : IDisposable
{
    public Linear Router => router;

    /// <summary>[experts, width], int64.</summary>
    public Tensor Members => members;

    public int Count => (int)members.shape[0];

    /// <summary>Neurons that are computed for a token.</summary>
    public int Width => (int)members.shape[1];

    /// <summary>What each token's expert leaves of the neurons: 1 for its own, 0 for the others.</summary>
    /// <param name="x">[B, T, hidden].</param>
    /// <param name="neurons">Of the dense MLP.</param>
    /// <returns>[B, T, neurons].</returns>
    public Tensor Mask(Tensor x, long neurons)
    {
        using var scope = NewDisposeScope();
        var masks = zeros(Count, neurons, dtype: x.dtype, device: x.device).scatter(1, members, ones_like(members, dtype: x.dtype));
        return masks.index_select(0, Route(x).view(-1)).view(x.shape[0], x.shape[1], neurons).MoveToOuterDisposeScope();
    }

    /// <summary>Computes for every token only its expert's neurons.</summary>
    /// <param name="x">[B, T, hidden].</param>
    /// <returns>[B, T, hidden].</returns>
    public Tensor Forward(Mlp mlp, Tensor x)
    {
        using var scope = NewDisposeScope();
        var tokens = x.view(-1, x.shape[^1]);
        var routes = Route(x).view(-1);
        var result = zeros([tokens.shape[0], mlp.Down.Weight.shape[0]], dtype: x.dtype, device: x.device);
        for (var expert = 0; expert < Count; expert++)
        {
            var own = routes.eq(expert).nonzero().view(-1);
            if (own.numel() == 0)
                continue;
            using var one = NewDisposeScope();
            var neurons = members[expert];
            var read = tokens.index_select(0, own);
            var first = mlp.Activation.Apply(Rows(mlp.Gate ?? mlp.Up, neurons, read));
            if (mlp.Gate is not null)
                first.mul_(Rows(mlp.Up, neurons, read));
            result.index_copy_(0, own, nn.functional.linear(first, mlp.Down.Weight.index_select(1, neurons), mlp.Down.Bias));
        }

        return result.view(x.shape[0], x.shape[1], -1).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        router.Dispose();
        members.Dispose();
    }

    /// <returns>[B, T], int64.</returns>
    private Tensor Route(Tensor x) => router.Forward(x, null).argmax(-1);

    private static Tensor Rows(Linear linear, Tensor neurons, Tensor x) =>
        nn.functional.linear(x, linear.Weight.index_select(0, neurons), linear.Bias?.index_select(0, neurons));
}
