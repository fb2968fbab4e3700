using Pipelines.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class GruTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory, Devices]
    public void Is_the_formula_written_out_with_its_gradients(string device)
    {
        var (weights, input) = Draw(device);
        var (expected, actual) = (WrittenOut(input, weights), Extensions.Gru(input, weights));

        Assert.Equal([5, 2, 8], actual.shape);
        Near(expected, actual);
        var direction = randn_like(actual);
        Tensor[] asked = [input, .. weights];
        var slow = autograd.grad([(expected * direction).sum()], asked);
        var fast = autograd.grad([(actual * direction).sum()], asked);
        Assert.All(slow.Zip(fast), pair => Near(pair.First, pair.Second));
        Assert.All(fast, gradient => Assert.True(gradient.abs().max().ToDouble() > 1e-3));
    }

    [Fact]
    public void Reads_one_way_only_when_given_one_ways_weights()
    {
        var (weights, input) = Draw("cpu");

        Near(Extensions.Gru(input, weights).narrow(-1, 0, 4), Extensions.Gru(input, weights[..4]));
        Assert.Throws<ArgumentException>(() => Extensions.Gru(input, weights[..3]));
    }

    /// <summary>Cho et al., with PyTorch's second bias inside the reset.</summary>
    private static Tensor WrittenOut(Tensor input, Tensor[] weights) =>
        cat([OneWay(input, weights[..4]), OneWay(input.flip(0), weights[4..]).flip(0)], -1);

    private static Tensor OneWay(Tensor input, Tensor[] weights)
    {
        var state = zeros(input.shape[1], 4, dtype: input.dtype, device: input.device);
        var states = new List<Tensor>();
        foreach (var step in input.unbind(0))
        {
            var fresh = (step.matmul(weights[0].t()) + weights[2]).chunk(3, -1);
            var held = (state.matmul(weights[1].t()) + weights[3]).chunk(3, -1);
            var (reset, update) = ((fresh[0] + held[0]).sigmoid(), (fresh[1] + held[1]).sigmoid());
            state = (1 - update) * (fresh[2] + reset * held[2]).tanh() + update * state;
            states.Add(state);
        }

        return stack([.. states]);
    }

    private static (Tensor[] Weights, Tensor Input) Draw(string device)
    {
        using var generator = new Generator(5);
        long[][] shapes = [[12, 3], [12, 4], [12], [12], [12, 3], [12, 4], [12], [12]];
        return ([.. shapes.Select(One)], One([5, 2, 3]));

        Tensor One(long[] shape) =>
            randn(shape, dtype: ScalarType.Float64, generator: generator).to(device).requires_grad_();
    }

    private static void Near(Tensor expected, Tensor actual) =>
        Assert.InRange((expected - actual).abs().max().ToDouble(), 0, 1e-12);
}
