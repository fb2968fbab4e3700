using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

/// <summary>The default generator belongs to the whole process, so no other test may draw from it meanwhile.</summary>
[Collection(nameof(Alone))]
public sealed class DefaultGeneratorTests
{
    [Fact]
    public void Draws_the_numbers_of_PyTorch_after_the_same_seed()
    {
        using var scope = NewDisposeScope();
        manual_seed(123);

        Near.Equal([0.296111941, 0.516562283], rand(2));
        Assert.Equal(123, initial_seed());
    }

    [Fact]
    public void Goes_on_with_the_same_bits_from_a_saved_state()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        nn.functional.dropout(ones(3), 0.5);
        var state = get_rng_state();

        var expected = nn.functional.dropout(ones(1000), 0.5) + randn(1000);
        set_rng_state(state);

        Assert.True(expected.Equals(nn.functional.dropout(ones(1000), 0.5) + randn(1000)));
    }

    [Fact]
    public void Is_the_one_that_operators_use_when_given_none()
    {
        using var scope = NewDisposeScope();
        using var standard = Generator.Default;
        standard.manual_seed(9);

        var expected = rand(3);

        Assert.True(expected.Equals(rand(3, generator: new Generator(9))));
    }
}
