using System.ComponentModel;
using Pipelines.Activities.Gates;
using Pipelines.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Experts;

/// <summary>
/// ToMoE's learned division of every MLP into experts (Gao et al., arXiv:2501.15316): a router sends each token to one, a
/// hypernetwork says which neurons each has. The model itself is frozen; both are drawn with noise while they train.
/// </summary>
public sealed class ExpertGates : LinearHook, IDisposable
{
    private const double Smoothing = 0.001;

    private readonly Dictionary<Linear, int> readers = [];
    private readonly Dictionary<Linear, int> writers = [];
    private readonly List<Parameter> routers = [];
    private readonly List<long> widths = [];
    private readonly HyperNetwork network;
    private readonly GumbelSigmoid gate = new();
    private readonly GumbelSoftmax choice = new();
    private readonly int experts;

    // Of one draw.
    private Tensor[] masks = [];
    private readonly Dictionary<int, Tensor> routes = [];
    private readonly Generator noise;

    /// <param name="experts">Of each MLP.</param>
    /// <param name="decoder">What of the hypernetwork makes an expert's mask.</param>
    public ExpertGates(CausalLM model, int experts, long seed, ExpertDecoder decoder = ExpertDecoder.Own)
    {
        this.experts = experts;
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        noise = new Generator((ulong)seed, CPU);
        foreach (var mlp in model.Blocks.Select(block => block.Mlp).OfType<Mlp>())
        {
            readers[mlp.Gate ?? mlp.Up] = writers[mlp.Down] = routers.Count;
            var bound = 1 / Math.Sqrt(model.Config.HiddenSize);
            var router = empty(experts, mlp.Up.Weight.shape[1]).uniform_(-bound, bound, generator: generator).to(model.Device);
            routers.Add(nn.Parameter(router.DetachFromDisposeScope()));
            widths.Add(mlp.IntermediateSize);
        }

        network = decoder == ExpertDecoder.Shared
            ? new HyperNetwork(widths, generator, model.Device, beside: experts)
            : new HyperNetwork([.. widths.SelectMany(width => Enumerable.Repeat(width, experts))], generator, model.Device);
    }

    /// <summary>In an order that is always the same.</summary>
    public IReadOnlyList<Tensor> Trained => [.. routers, .. network.Trained];

    /// <summary>Neurons of all MLPs together.</summary>
    public long Neurons => widths.Sum();

    /// <summary>Draws the masks of one step; routes are drawn as tokens come by. Everything follows from the seed.</summary>
    public void Draw(long seed)
    {
        noise.manual_seed(seed);
        Forget();
        var logits = network.Forward();
        masks = [.. widths.Select((_, layer) => stack([.. Logits(logits, layer).Select(one => gate.Sample(one, noise))]))];
    }

    public override Tensor Before(Linear linear, Tensor input)
    {
        if (readers.TryGetValue(linear, out var layer))
            routes[layer] = choice.Sample(nn.functional.linear(input, routers[layer]), noise).DetachFromDisposeScope(); // the block's scope ends before its penalty
        return writers.TryGetValue(linear, out layer) ? input * routes[layer].matmul(masks[layer]) : input;
    }

    /// <summary>
    /// Budget, union and balance: <c>λ |ln((active + 0.001) / (p + 0.001))| + 3 U + B</c>. Active is the widest expert's
    /// share of the neurons; U wants every neuron in some expert; B wants the tokens spread.
    /// </summary>
    /// <param name="active">p: the share of the neurons that a token shall meet.</param>
    public Tensor Penalty(double active, double weight)
    {
        using var scope = NewDisposeScope();
        var size = masks.Select(mask => mask.sum([1L]).amax([0L])).Aggregate((sum, one) => sum + one);
        var budget = BudgetLoss.LogRatio(size, Neurons, active, weight, Smoothing);
        var union = masks.Select(mask => ((1 - (1 - mask).prod(0)).mean() + Smoothing).div(1 + Smoothing).log().abs());
        var balance = routes.Values.Select(Balance);
        return (budget + Mean(union) * 3 + Mean(balance)).MoveToOuterDisposeScope();
    }

    /// <summary>The experts without noise: of each MLP as many neurons as it keeps at the budget, the likeliest of each expert.</summary>
    /// <returns>Per MLP, per expert, its neurons in ascending order; all experts of an MLP have as many.</returns>
    public IReadOnlyList<int[][]> Freeze(double active)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var logits = network.Forward();
        var wanted = widths.Select((_, layer) => Logits(logits, layer).Max(one => gate.Freeze(one).Length)).ToArray();
        var kept = ExpertWidths.Scale(wanted, [.. widths.Select(width => (int)width)], (int)Math.Round(Neurons * active));
        return [.. kept.Select((count, layer) => Logits(logits, layer).Select(one => BinaryGate.Freeze(one, count)).ToArray())];
    }

    /// <returns>[experts, hidden], a copy.</returns>
    public Tensor Router(int layer) => routers[layer].detach().clone();

    public void Dispose()
    {
        Forget();
        network.Dispose();
        noise.Dispose();
        routers.ForEach(router => router.Dispose());
    }

    private void Forget()
    {
        foreach (var route in routes.Values)
            route.Dispose();
        routes.Clear();
    }

    private Tensor[] Logits(Tensor[] all, int layer) => all[(layer * experts)..((layer + 1) * experts)];

    /// <summary>E Σ_e (share of the tokens that e got) · (its mean router output): 1 when even, E when one gets all.</summary>
    private Tensor Balance(Tensor route)
    {
        var mean = route.view(-1, experts).mean([0L]);
        return (mean.detach() * mean).sum() * experts;
    }

    private static Tensor Mean(IEnumerable<Tensor> values) => stack([.. values]).mean();
}

/// <summary>What of the hypernetwork makes an expert's mask of what the GRU makes for it.</summary>
public enum ExpertDecoder
{
    [Description("A linear of the expert's own; the GRU reads all experts of all MLPs in a row")]
    Own,

    [Description("One that the experts of an MLP share, as in the paper; the GRU reads each expert's inputs from MLP to MLP")]
    Shared,
}
