using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// A generator of gate logits, as DISP-LLM (arXiv:2410.11988, section 4) and ATO (arXiv:2403.14729) have it: a fixed random
/// input per gate vector, read both ways by a GRU so that the choices of one layer know those of the others, then LayerNorm,
/// an activation and a linear of each gate's own. Its tensors have the names of DISP-LLM's published checkpoints. ToMoE's
/// (arXiv:2501.15316) makes several vectors with each of these linears: of other inputs, which the GRU reads beside each other.
/// </summary>
public sealed class HyperNetwork : IDisposable
{
    private readonly HyperShape shape;
    private readonly Tensor inputs;
    private readonly BidirectionalGru gru;
    private readonly Parameter scale;
    private readonly Parameter shift;
    private readonly Parameter[] heads;

    /// <param name="sizes">Gates of each vector, in the order in which the network reads them.</param>
    /// <param name="generator">
    /// Of the inputs and of the initial parameters, which are PyTorch's. On the CPU, so that every device starts alike.
    /// </param>
    /// <param name="beside">Vectors that one linear makes.</param>
    /// <param name="shape">DISP-LLM's where it is left out.</param>
    public HyperNetwork(IReadOnlyList<long> sizes, Generator generator, Device device, int beside = 1, HyperShape? shape = null)
    {
        using var scope = NewDisposeScope();
        this.shape = shape ?? HyperShape.DispLlm;
        inputs = this.shape.Inputs(sizes.Count, beside, generator).to(device).DetachFromDisposeScope();
        gru = new BidirectionalGru(this.shape.InputWidth, this.shape.Hidden, generator, device);
        var features = this.shape.Features;
        scale = Kept(ones(features, device: device));
        shift = Kept(zeros(features, device: device));
        var bound = 1 / Math.Sqrt(features);
        heads = [.. sizes.Select(size => Kept(empty(size, features).uniform_(-bound, bound, generator: generator).to(device)))];
        Trained = [.. gru.Named.Select(one => one.Value), scale, shift, .. heads];
        Named =
        [
            ("inputs", inputs),
            .. gru.Named.Select(one => ($"bi_GRU.{one.Name}", (Tensor)one.Value)),
            ("ln_tp.weight", scale),
            ("ln_tp.bias", shift),
            .. heads.Select((head, index) => ($"linear_list_tp.{index}.weight", (Tensor)head)),
        ];
    }

    /// <summary>What an optimizer trains, in an order that is always the same; the inputs are not among it.</summary>
    public IReadOnlyList<Parameter> Trained { get; }

    /// <summary>Every tensor, also the inputs, which the parameters are worth nothing without.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Named { get; }

    /// <summary>Takes over every tensor from those of the same names.</summary>
    /// <exception cref="ArgumentException">One is of another shape.</exception>
    public void Load(Func<string, Tensor> read)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        foreach (var (name, value) in Named)
        {
            var given = read(name);
            if (!given.shape.SequenceEqual(value.shape))
            {
                throw new ArgumentException(
                    $"{name}: [{string.Join(',', given.shape)}]: expected [{string.Join(',', value.shape)}]");
            }

            value.copy_(given);
        }
    }

    /// <summary>The logits of each gate vector, [size] each, with gradients to <see cref="Trained"/>; those of a linear follow each other.</summary>
    public Tensor[] Forward()
    {
        using var scope = NewDisposeScope();
        var normal = nn.functional.layer_norm(gru.Forward(inputs), [shape.Features], scale, shift);
        var features = shape.Relu ? normal.relu() : normal.gelu();
        return [.. heads.SelectMany((head, index) => features.select(0, index).unbind(0).Select(vector =>
            nn.functional.linear(vector, head).MoveToOuterDisposeScope()))];
    }

    public void Dispose()
    {
        gru.Dispose();
        foreach (var tensor in (Tensor[])[inputs, scale, shift, .. heads])
            tensor.Dispose();
    }

    private static Parameter Kept(Tensor tensor)
    {
        var parameter = nn.Parameter(tensor);
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
