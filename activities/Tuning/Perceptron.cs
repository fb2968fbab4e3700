using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>Linears with ReLU in between, with PyTorch's initial values.</summary>
internal sealed class Perceptron : IDisposable
{
    private readonly (Parameter Weight, Parameter Bias)[] layers;

    /// <param name="widths">Of the input, of what lies between, of the output.</param>
    public Perceptron(IReadOnlyList<long> widths, Generator generator)
    {
        layers = [.. widths.Zip(widths.Skip(1), (from, to) =>
            (Start([to, from], from, generator), Start([to], from, generator)))];
        Parameters = [.. layers.SelectMany(layer => new[] { layer.Weight, layer.Bias })];
    }

    public IReadOnlyList<Parameter> Parameters { get; }

    /// <param name="inputs">[B, in].</param>
    /// <returns>[B, out].</returns>
    public Tensor Forward(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        var values = nn.functional.linear(inputs, layers[0].Weight, layers[0].Bias);
        foreach (var (weight, bias) in layers.Skip(1))
            values = nn.functional.linear(values.relu(), weight, bias);
        return values.MoveToOuterDisposeScope();
    }

    /// <summary>Goes a share of the way to another of the same shape.</summary>
    public void Follow(Perceptron other, double share)
    {
        using var ungraded = no_grad();
        foreach (var (mine, its) in Parameters.Zip(other.Parameters))
            mine.mul_(1 - share).add_(its, share);
    }

    public void Dispose()
    {
        foreach (var parameter in Parameters)
            parameter.Dispose();
    }

    internal static Parameter Start(long[] shape, long from, Generator generator)
    {
        using var scope = NewDisposeScope();
        var bound = 1 / Math.Sqrt(from);
        var parameter = nn.Parameter(empty(shape).uniform_(-bound, bound, generator: generator));
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
