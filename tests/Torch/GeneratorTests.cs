using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class GeneratorTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Draws_the_numbers_of_PyTorch()
    {
        using var generator = new Generator(7);

        Near.Equal([0.534922540, 0.198803186, 0.659211695], rand(3, generator: generator));
        Near.Equal([-0.0325519741, 1.01105440, 1.77149379], randn(3, generator: generator));
        Near.Equal([1, 0, 2, 3, 4], randperm(5, generator: generator));
        Assert.Equal(7, generator.initial_seed());
    }

    [Theory, Devices]
    public void Goes_on_with_the_same_bits_from_a_saved_state(string device)
    {
        using var generator = new Generator(3, device);
        Draw(generator, device);
        using var state = generator.get_state();

        var expected = Draw(generator, device);
        using var other = new Generator(4, device);
        other.set_state(state);

        Assert.Equal(ScalarType.Byte, state.dtype);
        Assert.True(expected.Equals(Draw(other, device)));
        Assert.False(expected.Equals(Draw(other, device)));
    }

    [Fact]
    public void Samples_from_distributions()
    {
        using var generator = new Generator(1);

        var heads = empty(10_000).bernoulli_(0.3, generator).mean().ToDouble();
        Assert.InRange(heads, 0.28, 0.32);
        var uniform = empty(10_000).uniform_(2, 4, generator);
        Assert.InRange(uniform.min().ToDouble(), 2, 2.01);
        Assert.InRange(uniform.mean().ToDouble(), 2.97, 3.03);
        var normal = empty(10_000).normal_(1, 2, generator);
        Assert.InRange(normal.std().ToDouble(), 1.95, 2.05);
        var picks = tensor([0f, 1f, 3f]).multinomial(10_000, replacement: true, generator);
        Assert.InRange((picks == 2).@float().mean().ToDouble(), 0.73, 0.77);
        Assert.False((picks == 0).any().ToBoolean());
        var integers = randint(5, 8, [1000], generator: generator);
        Assert.Equal((5L, 7L), (integers.min().ToInt64(), integers.max().ToInt64()));
    }

    private static Tensor Draw(Generator generator, string device) => cat(
    [
        rand([5], device: device, generator: generator),
        randn([3], device: device, generator: generator),
        empty([4], float32, device).bernoulli_(0.5, generator),
    ]);
}
