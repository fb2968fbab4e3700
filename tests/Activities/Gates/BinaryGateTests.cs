using Pipelines.Activities.Gates;
using Pipelines.Tests.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Gates;

/// <summary>What holds for every gate that is open or closed.</summary>
public sealed class BinaryGateTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    public static TheoryData<BinaryGate> All => [new HardConcrete(), new GumbelSigmoid(), new ReinMaxGate()];

    [Theory]
    [MemberData(nameof(All))]
    public void Is_open_as_often_as_its_probability_says(BinaryGate gate)
    {
        const int Draws = 200_000;
        using var generator = new Generator(11);
        foreach (var logit in (double[])[-4, -2.5, -1, 0, 1, 2.5])
        {
            using var inner = NewDisposeScope();
            var expected = gate.Probability(tensor(logit)).ToDouble();

            var open = gate.Sample(full(Draws, logit, dtype: ScalarType.Float32), generator).gt(0);

            // Five standard deviations of a mean of that many draws.
            var spread = 5 * Math.Sqrt(expected * (1 - expected) / Draws) + 1e-9;
            Assert.Equal(expected, open.to(ScalarType.Float64).mean().ToDouble(), spread);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Probability_is_the_integral_of_its_own_slope(BinaryGate gate)
    {
        var logit = tensor([-3.0, -1, 0, 2, 50, 800], requires_grad: true);

        gate.Probability(logit).sum().backward();

        using var ungraded = no_grad();
        const double Step = 1e-5;
        var slope = (gate.Probability(logit + Step) - gate.Probability(logit - Step)) / (2 * Step);
        Assert.InRange((slope - logit.grad!).abs().max().ToDouble(), 0, 1e-8);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Samples_follow_the_generators_state_and_gradients_reach_the_logits(BinaryGate gate)
    {
        var logits = linspace(-6, 3, 500).requires_grad_();
        using var generator = new Generator(3);
        gate.Sample(logits, generator);
        using var state = generator.get_state();
        var first = gate.Sample(logits, generator);
        var second = gate.Sample(logits, generator);
        using var other = new Generator(4);
        other.set_state(state);

        var again = gate.Sample(logits, other);

        Assert.True(first.Equals(again));
        Assert.False(first.Equals(second));
        Assert.InRange(first.min().ToDouble(), 0, 1);
        Assert.InRange(first.max().ToDouble(), 0, 1);
        first.sum().backward();
        Assert.True(logits.grad!.ge(0).all().ToBoolean());
        Assert.True(logits.grad!.sum().ToDouble() > 1);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Frozen_it_is_the_same_whatever_was_drawn_before(BinaryGate gate)
    {
        using var generator = new Generator(8);
        var logits = randn(300, generator: generator) * 4 - 2;
        var before = gate.Freeze(logits);

        gate.Sample(logits, generator);

        Assert.Equal(before, gate.Freeze(logits));
        Assert.InRange(before.Length, 1, 299);
        Assert.Equal(before.Order(), before);
        // A gate that stays is no less likely open than one that goes.
        var probability = gate.Probability(logits).data<float>().ToArray();
        var gone = Enumerable.Range(0, 300).Except(before);
        Assert.True(before.Min(unit => probability[unit]) >= gone.Max(unit => probability[unit]));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Keeps_the_likeliest_where_all_would_go(BinaryGate gate)
    {
        Assert.Equal([1], gate.Freeze(tensor([-60f, -50f, -70f])));
        Assert.Equal([2], gate.Freeze(tensor([-60f, -60f, -60f])));
        Assert.Equal([1], BinaryGate.Freeze(tensor([-60f, -50f, -70f]), 0));
        Assert.Equal([0, 1], BinaryGate.Freeze(tensor([60f, 50f, 40f]), 2));
        Assert.Equal([0, 1, 2], gate.Freeze(tensor([60f, 50f, 40f])));
        Assert.Throws<ArgumentException>(() => gate.Freeze(tensor([0f, float.NaN])));
    }

    [Fact]
    public void Hard_concrete_stretches_and_cuts()
    {
        var logits = tensor([0.0, 0, 0, 1], requires_grad: true);

        var gates = new HardConcrete().At(logits, tensor([0.5, 0.99, 0.01, 0.5]));
        gates.sum().backward();

        // s = 1.2 σ((ln u − ln(1 − u) + log α) / (2/3)) − 0.1; σ(1.5) = 0.8175744762.
        Near.Equal([0.5, 1, 0, 1.2 * 0.8175744762 - 0.1], gates, 1e-9);
        // 1.2 σ(1 − σ) / (2/3), nothing where it was cut.
        Near.Equal([0.45, 0, 0, 1.8 * 0.8175744762 * 0.1824255238], logits.grad!, 1e-9);
        // 1 / (1 + 11^(−2/3)).
        Near.Equal(0.8318221840, new HardConcrete().Probability(tensor(0.0)), 1e-9);
    }

    [Fact]
    public void A_size_counts_what_is_open_or_how_likely_that_is()
    {
        var (logits, drawn) = (tensor([0.0, 1]), tensor([0.0, 0.3]));

        Assert.Same(drawn, new GumbelSigmoid().Counted(logits, drawn));
        Assert.True(new HardConcrete().Counted(logits, drawn).Equals(new HardConcrete().Probability(logits)));
    }

    [Theory]
    [InlineData(GateKind.Gumbel)]
    [InlineData(GateKind.ReinMax)]
    [InlineData(GateKind.HardConcrete)]
    public void Trained_gates_begin_nearly_open(GateKind kind)
    {
        using var generator = new Generator(5);

        var (gate, counted) = new TrainedGate(kind).Sample(zeros(4000), generator);

        Assert.InRange(gate.mean().ToDouble(), 0.9, 1);
        Assert.InRange(counted.mean().ToDouble(), 0.9, 1);
    }

    [Fact]
    public void Gumbel_sigmoid_rounds_and_passes_the_gradient_of_what_it_rounded()
    {
        var (gate, uniform) = (new GumbelSigmoid(), tensor([0.5, 0.5, 0.01]));
        var (logits, same) = (tensor([0.0, -4, -3], requires_grad: true), tensor([0.0, -4, -3], requires_grad: true));

        var (hard, soft) = (gate.At(logits, uniform), gate.SoftAt(same, uniform));
        hard.sum().backward();
        soft.sum().backward();

        // G = −ln(ln 2) = 0.3665129206 and −ln(ln 100) = −1.5271796258.
        double[] expected = [Sigmoid(3.3665129206), Sigmoid(-0.6334870794), Sigmoid(-1.5271796258)];
        Near.Equal(expected, soft, 1e-9);
        Assert.Equal([1.0, 0, 0], hard.data<double>().ToArray());
        Near.Equal([.. expected.Select(y => y * (1 - y) / 0.4)], logits.grad!, 1e-9);
        Assert.True(logits.grad!.Equals(same.grad!));

        static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x / 0.4));
    }

    [Fact]
    public void Noise_at_the_ends_stays_finite()
    {
        var ends = tensor([0f, 1f]);

        Assert.True(GateNoise.Gumbel(ends).isfinite().all().ToBoolean());
        // As in float32: −ln(−ln 1e-20) and −ln(2⁻²⁴).
        Near.Equal([-Math.Log(Math.Log(1e20)), 24 * Math.Log(2)], GateNoise.Gumbel(ends), 1e-5);
        using var generator = new Generator(1);
        Assert.Equal(ScalarType.Float32, GateNoise.Uniform(zeros(2, dtype: ScalarType.BFloat16), generator).dtype);
        Assert.Equal(ScalarType.Float64, GateNoise.Uniform(zeros(2, dtype: ScalarType.Float64), generator).dtype);
    }
}
