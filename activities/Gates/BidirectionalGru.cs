using Pipelines.Torch;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>A layer of gated recurrent units that reads a sequence both ways, with PyTorch's names and initial values.</summary>
public sealed class BidirectionalGru : IDisposable
{
    private static readonly string[] Names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"];

    private readonly Parameter[] weights;

    /// <param name="inputs">Width of a step.</param>
    /// <param name="hidden">Width of the state, each way.</param>
    /// <param name="generator">On the CPU, so that every device starts alike.</param>
    public BidirectionalGru(long inputs, long hidden, Generator generator, Device device)
    {
        using var scope = NewDisposeScope();
        var bound = 1 / Math.Sqrt(hidden);
        long[][] shapes = [[3 * hidden, inputs], [3 * hidden, hidden], [3 * hidden], [3 * hidden]];
        weights = [.. shapes.Concat(shapes).Select(Start)];
        Named = [.. weights.Select((weight, index) => (Names[index % 4] + (index < 4 ? "" : "_reverse"), weight))];

        Parameter Start(long[] shape)
        {
            var parameter = nn.Parameter(empty(shape).uniform_(-bound, bound, generator: generator).to(device));
            parameter.DetachFromDisposeScope();
            return parameter;
        }
    }

    /// <summary>In an order that is always the same.</summary>
    public IReadOnlyList<(string Name, Parameter Value)> Named { get; }

    /// <param name="sequence">[steps, batch, inputs].</param>
    /// <returns>[steps, batch, 2 · hidden].</returns>
    public Tensor Forward(Tensor sequence) => Extensions.Gru(sequence, weights);

    public void Dispose()
    {
        foreach (var weight in weights)
            weight.Dispose();
    }
}
