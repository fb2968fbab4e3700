using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class PointwiseTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory, Devices]
    public void Adds_subtracts_multiplies_and_divides_by_tensors_and_numbers(string device)
    {
        var x = tensor([1f, 2f, 4f], device: device);
        var y = tensor([2f, 2f, 8f], device: device);

        Near.Equal([3, 4, 12], x + y);
        Near.Equal([-1, 0, -4], x - y);
        Near.Equal([2, 4, 32], x * y);
        Near.Equal([0.5, 1, 0.5], x / y);
        Near.Equal([3, 4, 6], x + 2);
        Near.Equal([1, 0, -2], 2 - x);
        Near.Equal([0.5, 1, 2], x * 0.5);
        Near.Equal([4, 2, 1], 4.0 / x);
        Near.Equal([1, 0, 0], x % 2);
        Near.Equal([-1, -2, -4], -x);
    }

    [Theory, Devices]
    public void Raises_to_powers(string device)
    {
        var x = tensor([1f, 2f, 4f], device: device);

        Near.Equal([1, 8, 64], x.pow(3));
        Near.Equal([1, 4, 16], x.square());
        Near.Equal([1, 1.41421356, 2], x.sqrt());
        Near.Equal([1, 0.70710678, 0.5], x.rsqrt());
        Near.Equal([1, 4, 256], x.pow(x));
    }

    [Theory, Devices]
    public void Changes_a_tensor_in_place_and_returns_that_object(string device)
    {
        var x = tensor([1f, 2f, 4f], device: device);

        Assert.Same(x, x.mul_(2).add_(1).div_(tensor([1f, 5f, 3f], device: device)));
        Near.Equal([3, 1, 3], x);
        var (y, z) = (tensor([1f, -1f, 1f], device: device), tensor([2f, 1f, -0.5f], device: device));
        Near.Equal([5, 0, 2.5], x.addcmul_(y, z, 1));
        Near.Equal([1, 0, 1], x.clamp_(0, 1));
        Near.Equal([0, 0, 0], x.zero_());
        Near.Equal([7, 7, 7], x.fill_(7));
    }

    [Fact]
    public void Knows_the_functions_of_analysis()
    {
        var x = tensor([-1.0, 0.5, 2.0]);

        Near.Equal([0.36787944, 1.64872127, 7.38905610], x.exp());
        Near.Equal([double.NaN, -0.69314718, 0.69314718], x.log());
        Near.Equal([double.NaN, -1, 1], x.log2());
        Near.Equal([0.26894142, 0.62245933, 0.88079708], x.sigmoid());
        Near.Equal([-0.76159416, 0.46211716, 0.96402758], x.tanh());
        Near.Equal([-0.84270079, 0.52049988, 0.99532227], x.erf());
        Near.Equal([0.84147098, 0.47942554, 0.90929743], x.abs().sin());
        Near.Equal([0.54030231, 0.87758256, -0.41614684], x.cos());
        Near.Equal([-1, 1, 1], x.sign());
        Near.Equal([-1, 0, 2], x.floor());
        Near.Equal([-1, 1, 2], x.ceil());
        Near.Equal([-1, 2, 0.5], x.reciprocal());
        Near.Equal([1.5, 0.5], tensor([1.5449, 0.4551]).round(1));
    }

    [Fact]
    public void Finds_what_is_not_a_finite_number()
    {
        var x = tensor([1f, float.NaN, float.PositiveInfinity]);

        Assert.Equal([false, true, false], x.isnan().data<bool>().ToArray());
        Assert.Equal([false, false, true], x.isinf().data<bool>().ToArray());
        Assert.Equal([true, false, false], x.isfinite().data<bool>().ToArray());
    }

    [Theory, Devices]
    public void Compares_and_combines_masks(string device)
    {
        var x = tensor([1f, 2f, 3f], device: device);
        var y = tensor([3f, 2f, 1f], device: device);

        Near.Equal([0, 1, 0], x == y);
        Near.Equal([1, 0, 1], x != y);
        Near.Equal([1, 0, 0], x < y);
        Near.Equal([0, 1, 1], x >= 2);
        Near.Equal([0, 1, 0], (x >= 2) & (y >= 2));
        Near.Equal([1, 0, 1], ~((x >= 2) & (y >= 2)));
        Near.Equal([1, 1, 1], (x > 1).logical_or(x < y));
        Near.Equal([3, 2, 3], where(x > y, x, y));
        Near.Equal([1, 9, 9], x.masked_fill(x > 1, 9));
    }

    [Fact]
    public void Tells_equal_from_close()
    {
        var x = tensor([1f, 2f]);

        Assert.True(x.Equals(tensor([1f, 2f])));
        Assert.False(x.Equals(tensor([1f, 2.000001f])));
        Assert.True(x.allclose(tensor([1f, 2.000001f])));
        Assert.False(x.allclose(tensor([1f, 2.1f])));
    }

    [Fact]
    public void Activates()
    {
        var x = tensor([-1f, 0.5f, 2f]);

        Near.Equal([0, 0.5, 2], x.relu());
        Near.Equal([-0.15865529, 0.34573120, 1.95449996], x.gelu());
        Near.Equal([-0.26894143, 0.31122968, 1.76159406], x.silu());
        Near.Equal([0.03911257, 0.17529039, 0.78559703], x.softmax(0));
        Near.Equal([0.31326169, 0.97407698, 2.12692809], x.softplus());
        Near.Equal([-0.01, 0.5, 2], nn.functional.leaky_relu(x));
    }
}
