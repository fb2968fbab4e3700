using Pipelines.Activities.Allocation;
using Pipelines.Activities.Unlearning;
using Pipelines.Tests.Fixtures;
using Pipelines.Tests.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Unlearning;

public sealed class UnlearningMathTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void A_penalty_falls_from_epoch_to_epoch_and_leaves_the_last_ones_free()
    {
        var (plain, free) = (new SparsePenalty(0.5, Epochs: 10, Free: 0), new SparsePenalty(0.5, Epochs: 10, Free: 6));

        Assert.Equal(0.5, plain.At(0));
        Assert.Equal(0.5 * 0.7, plain.At(3), 12);
        Assert.Equal(0.05, plain.At(9), 12);
        Assert.Equal([0.5, 0.375, 0.25, 0.125, 0, 0], Enumerable.Range(0, 6).Select(free.At));
    }

    [Fact]
    public void A_penaltys_slope_is_the_sign_and_none_at_zero()
    {
        var weights = tensor(new[] { 2f, -3f, 0f }).requires_grad_();

        var norm = SparsePenalty.Norm([weights, tensor(new[] { -1f })]);
        norm.backward();

        Assert.Equal(6, norm.ToDouble());
        Assert.Equal([1f, -1f, 0f], weights.grad!.data<float>().ToArray());
    }

    [Theory]
    [InlineData(1, 1, 1e-8, 1)]
    [InlineData(4, 1, 1e12, 0.25)]
    [InlineData(4, 0.5, 1e12, 0.5)]
    [InlineData(0, 1, 1e3, 1e3)]
    public void Noise_goes_with_the_inverse_information_up_to_a_limit(double information, double power, double least, double expected)
    {
        var most = Math.Max(least, 1);

        Near.Equal(2 * expected, new FisherNoise(2, power, most).Variance(tensor(new[] { information }))[0], 1e-6);
    }

    [Theory]
    [InlineData(5, 3, 0.1)]
    [InlineData(3, 7, 1e-3)]
    public void Woodburys_identity_gives_what_the_inverse_does(int count, int width, double damping)
    {
        using var generator = new Generator(3, CPU);
        var gradients = empty(count, width).normal_(generator: generator);
        var vector = empty([width], ScalarType.Float64).normal_(generator: generator);

        var result = InverseFisher.Times(gradients, vector, damping);

        var wide = gradients.to(ScalarType.Float64);
        var fisher = wide.t().matmul(wide) / count + eye(width, dtype: ScalarType.Float64) * damping;
        Assert.InRange((fisher.mv(result) - vector).abs().max().ToDouble(), 0, 1e-9);
    }

    [Fact]
    public void The_inverse_of_one_gradient_is_the_one_worked_by_hand()
    {
        // F = ½ I + g gᵀ with g = (1, 1): F⁻¹ (1, 0) = 2 (1, 0) − 4 / (1 + 4) (1, 1) = (1.2, −0.8).
        var result = InverseFisher.Times(ones(1, 2), tensor(new[] { 1.0, 0 }), 0.5);

        Near.Equal(1.2, result[0], 1e-12);
        Near.Equal(-0.8, result[1], 1e-12);
    }

    [Fact]
    public void The_inverse_is_that_of_rank_one_updates()
    {
        // WoodFisher's recursion: F⁻¹ ← F⁻¹ − F⁻¹ g gᵀ F⁻¹ / (m + gᵀ F⁻¹ g), from I / λ.
        using var generator = new Generator(4, CPU);
        var gradients = empty(6, 4).normal_(generator: generator);
        var vector = ones(4, dtype: ScalarType.Float64);
        var inverse = eye(4, dtype: ScalarType.Float64) / 0.2;
        foreach (var row in gradients.to(ScalarType.Float64).unbind(0))
        {
            var turned = inverse.mv(row);
            inverse = inverse - turned.unsqueeze(1).matmul(turned.unsqueeze(0)) / (turned.dot(row) + 6);
        }

        Assert.InRange((InverseFisher.Times(gradients, vector, 0.2) - inverse.mv(vector)).abs().max().ToDouble(), 0, 1e-9);
    }

    [Fact]
    public void Drawn_classes_give_the_expected_information_in_the_mean()
    {
        using var network = TinyClassifiers.Create("cifar-resnet-a");
        using var vector = new ParameterVector(network);
        var image = TinyClassifiers.Images(network.Config, 1);

        // So that it doubts: what it is sure to be wrong has a great gradient and is never drawn.
        using (no_grad())
            network["linear.weight"].mul_(0.01);
        var exact = FisherUnlearn.Squares(network, vector, image, FisherLabels.Expected, new SplitMix(1, 0));
        var drawn = zeros_like(exact);
        const int draws = 300;
        for (var i = 0; i < draws; i++)
            drawn.add_(FisherUnlearn.Squares(network, vector, image, FisherLabels.Drawn, new SplitMix(1, (ulong)i)));

        Assert.InRange((drawn.sum() / draws / exact.sum()).ToDouble(), 0.85, 1.15);
    }

    [Fact]
    public void The_information_of_the_last_layer_is_the_one_that_can_be_worked_out()
    {
        // Of a bias of the classifier: E[(1_y − p)²] = p (1 − p).
        using var network = TinyClassifiers.Create("cifar-resnet-a");
        using var vector = new ParameterVector(network);
        var image = TinyClassifiers.Images(network.Config, 1);
        var probabilities = network.Forward(image).softmax(1)[0].detach().to(ScalarType.Float64);

        var information = FisherUnlearn.Squares(network, vector, image, FisherLabels.Expected, new SplitMix(1, 0));

        var biases = information.narrow(0, information.shape[0] - 10, 10);
        Assert.Equal("linear.bias", network.NamedParameters().Last().Name);
        Assert.InRange((biases - probabilities * (1 - probabilities)).abs().max().ToDouble(), 0, 1e-6);
    }

    [Fact]
    public void What_is_zero_has_no_gradient_and_does_not_move()
    {
        using var network = TinyClassifiers.Create("cifar-resnet-a");
        using (no_grad())
            network.Slot("conv1.weight").Value[0].zero_();
        using var vector = new ParameterVector(network);

        var gradient = vector.Gradient(network.Forward(TinyClassifiers.Images(network.Config)).sum());
        vector.Add(ones(vector.Count, dtype: ScalarType.Float64));

        Assert.True(gradient.narrow(0, 0, 27).eq(0).all().ToBoolean());
        Assert.True(network["conv1.weight"][0].eq(0).all().ToBoolean());
        Assert.False(network["conv1.weight"][1].eq(0).any().ToBoolean());
    }
}
