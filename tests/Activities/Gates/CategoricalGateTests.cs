using Pipelines.Activities.Gates;
using Pipelines.Tests.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Gates;

/// <summary>Gates that choose one of several, and the bias of their gradients against the exact one.</summary>
public sealed class CategoricalGateTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Chooses_each_as_often_as_its_softmax_says()
    {
        const int Draws = 200_000;
        using var generator = new Generator(2);
        var logits = tensor([1.0, 0, -1, 0.5]);
        var many = logits.expand(Draws, 4);

        foreach (var drawn in (Tensor[])[new GumbelSoftmax().Sample(many, generator), new ReinMax().Sample(many, generator)])
        {
            Assert.Equal(Draws, drawn.eq(1).sum().ToInt64());
            Assert.Equal(3 * Draws, drawn.eq(0).sum().ToInt64());
            Near.Equal(logits.softmax(0).data<double>().ToArray(), drawn.mean([0L]), 5 * 0.5 / Math.Sqrt(Draws));
        }
    }

    [Fact]
    public void Gumbel_softmax_passes_the_gradient_of_what_it_chose_from()
    {
        using var generator = new Generator(6);
        var uniform = rand(3, 5, dtype: ScalarType.Float64, generator: generator);
        var direction = randn(3, 5, dtype: ScalarType.Float64, generator: generator);
        var values = randn(3, 5, dtype: ScalarType.Float64, generator: generator);
        var (logits, same) = (values.clone().requires_grad_(), values.clone().requires_grad_());
        var gate = new GumbelSoftmax();

        var (hard, soft) = (gate.At(logits, uniform), gate.SoftAt(same, uniform));
        (hard * direction).sum().backward();
        (soft * direction).sum().backward();

        Assert.True(hard.argmax(-1).Equals(soft.argmax(-1)));
        Assert.True(logits.grad!.Equals(same.grad!));
        Near.Equal([1, 1, 1], soft.sum(-1L), 1e-12);
    }

    [Fact]
    public void Frozen_it_is_the_likeliest_of_each_row()
    {
        Assert.Equal([1, 0, 2], GumbelSoftmax.Freeze(tensor([0f, 2f, 1f, 3f, 3f, 0f, -5f, -6f, -4f], [3, 3])));
        Assert.Throws<ArgumentException>(() => GumbelSoftmax.Freeze(full(1, 2, double.NaN)));
    }

    [Fact]
    public void ReinMax_has_the_gradient_of_its_published_form()
    {
        // 2π₁ − π₀/2 by hand: of {θ, 0} with p = σ(θ) it is (1 − p)/2 where open was drawn, and p/2 where closed.
        var theta = tensor([0.7, 0.7], requires_grad: true);

        new ReinMaxGate().At(theta, tensor([0.1, 0.9])).sum().backward();

        var p = 1 / (1 + Math.Exp(-0.7));
        Near.Equal([(1 - p) / 2, p / 2], theta.grad!, 1e-12);
    }

    [Theory]
    [InlineData(1, true, true)]
    [InlineData(2, true, false)]
    [InlineData(3, false, false)]
    public void ReinMax_is_exact_in_expectation_up_to_second_order(int degree, bool reinMaxIsExact, bool straightThroughIs)
    {
        var theta = tensor([0.9, -0.4, 0.2], requires_grad: true);
        var exact = Exact(theta, degree);

        Assert.Equal(reinMaxIsExact, Largest(Expected(drawn => new ReinMax().Estimate(theta, drawn)) - exact) < 1e-12);
        Assert.Equal(
            straightThroughIs,
            Largest(Expected(drawn => StraightThrough.Join(drawn, theta.softmax(0))) - exact) < 1e-12);

        // Over the three outcomes, weighted by their probabilities: no sampling error.
        Tensor Expected(Func<Tensor, Tensor> estimate)
        {
            var sum = zeros_like(theta);
            foreach (var (index, weight) in theta.softmax(0).data<double>().ToArray().Index())
            {
                var drawn = eye(3, dtype: ScalarType.Float64)[index];
                sum += autograd.grad([Loss(estimate(drawn), degree)], [theta])[0] * weight;
            }

            return sum;
        }
    }

    [Fact]
    public void Over_many_samples_ReinMax_comes_to_the_exact_gradient()
    {
        const int Draws = 100_000;
        using var generator = new Generator(21);
        var theta = tensor([0.9, -0.4, 0.2], requires_grad: true);
        var exact = Exact(theta, 2);
        var each = theta.detach().expand(Draws, 3).clone().requires_grad_();

        var drawn = new ReinMax().Sample(each, generator);
        Loss(drawn, 2).backward();

        var spread = each.grad!.std([0L]) / Math.Sqrt(Draws);
        Assert.InRange(((each.grad!.mean([0L]) - exact) / spread).abs().max().ToDouble(), 0, 4);
        // Near it, too: the gradient itself is far larger than what is allowed.
        Assert.True(Largest(exact) > 20 * spread.max().ToDouble());
    }

    /// <summary>Of E[loss] = Σ p_i loss(e_i), by automatic differentiation.</summary>
    private static Tensor Exact(Tensor theta, int degree)
    {
        var losses = stack([.. eye(3, dtype: ScalarType.Float64).unbind(0).Select(one => Loss(one, degree))]);
        return autograd.grad([(theta.softmax(0) * losses).sum()], [theta])[0];
    }

    /// <summary>A polynomial that mixes the classes; summed over rows.</summary>
    private static Tensor Loss(Tensor drawn, int degree)
    {
        var mixed = drawn.matmul(tensor([1.0, -2, 0.5])) + 0.3;
        return mixed.pow(degree).sum();
    }

    private static double Largest(Tensor tensor) => tensor.abs().max().ToDouble();
}
