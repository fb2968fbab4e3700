using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class GradientTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    public static TheoryData<string, Func<Tensor, Tensor>> Functions => new()
    {
        { "matmul", x => x.matmul(x.t()) },
        { "softmax", x => x.softmax(-1).square() },
        { "norm", x => x.norm(1, false, 2f) },
        { "layer norm", x => nn.functional.layer_norm(x, [3]).pow(3) },
        { "index", x => x[tensor([1L, 1L, 0L])] * x[0] },
        { "cat", x => cat([x.exp(), x.t().reshape(2, 3)], 1).sin() },
        { "cross entropy", x => nn.functional.cross_entropy(x, tensor([2L, 0L])) },
        { "silu", x => nn.functional.silu(x) * x.rsqrt() },
        { "cholesky", x => linalg.cholesky(x.matmul(x.t()) + eye(2, dtype: float64)) },
    };

    [Theory, MemberData(nameof(Functions))]
    public void Agrees_with_finite_differences(string name, Func<Tensor, Tensor> function)
    {
        var x = tensor([0.3, 0.7, 1.1, 0.9, 0.2, 0.5], [2, 3], requires_grad: true);
        var analytic = autograd.grad([function(x).sum()], [x])[0].data<double>().ToArray();

        using var quiet = no_grad();
        var values = x.data<double>();
        for (var i = 0; i < analytic.Length; i++)
        {
            const double h = 1e-6;
            var (row, column) = (i / 3, i % 3);
            var middle = values[row, column];
            values[row, column] = middle + h;
            var above = function(x).sum().ToDouble();
            values[row, column] = middle - h;
            var below = function(x).sum().ToDouble();
            values[row, column] = middle;
            Assert.True(
                Math.Abs((above - below) / (2 * h) - analytic[i]) < 1e-7 * (1 + Math.Abs(analytic[i])),
                $"{name}: element {i} has {analytic[i]}, differences give {(above - below) / (2 * h)}");
        }
    }

    [Theory, Devices]
    public void Differentiates_twice(string device)
    {
        var x = tensor([1f, 2f, -3f], device: device, requires_grad: true);

        var first = autograd.grad([x.pow(3).sum()], [x], create_graph: true)[0];
        var second = autograd.grad([first.sum()], [x], create_graph: true)[0];
        var third = autograd.grad([second.sum()], [x])[0];

        Near.Equal([3, 12, 27], first);
        Near.Equal([6, 12, -18], second);
        Near.Equal([6, 6, 6], third);
        Assert.Null(x.grad);
    }

    [Theory, Devices]
    public void Adds_to_the_gradients_of_leaves(string device)
    {
        var x = tensor([1f, 2f], device: device, requires_grad: true);
        var y = x * x;

        y.sum().backward(retain_graph: true);
        Near.Equal([2, 4], x.grad!);
        y.sum().backward();
        Near.Equal([4, 8], x.grad!);
        Assert.Null(y.grad);
        Assert.True(x.is_leaf);
        Assert.False(y.is_leaf);
        x.grad = null;
        Assert.Null(x.grad);
        x.grad = tensor([1f, 1f], device: device);
        Near.Equal([1, 1], x.grad);
    }

    [Fact]
    public void Weighs_outputs_by_given_gradients()
    {
        var x = tensor([1f, 2f], requires_grad: true);

        Near.Equal([2, 40], autograd.grad([x * x], [x], [tensor([1f, 10f])])[0]);
        (x * x).backward([tensor([1f, 10f])]);
        Near.Equal([2, 40], x.grad!);
    }

    [Fact]
    public void Refuses_what_has_no_graph_or_is_not_used()
    {
        var x = tensor([1f, 2f], requires_grad: true);
        var unused = tensor([1f], requires_grad: true);

        Assert.ThrowsAny<Exception>(() => tensor([1f]).backward());
        Assert.ThrowsAny<Exception>(() => autograd.grad([x.sum()], [unused]));
        Assert.Null(autograd.grad([x.sum()], [unused], allow_unused: true)[0]);
        Assert.ThrowsAny<Exception>(() => x.grad = tensor([1f]));
    }

    [Fact]
    public void Records_nothing_where_it_is_told_not_to()
    {
        var x = tensor([1f, 2f], requires_grad: true);

        using (no_grad())
        {
            Assert.False(is_grad_enabled());
            Assert.False((x * 2).requires_grad);
            using (enable_grad())
                Assert.True((x * 2).requires_grad);
            x.mul_(2);
        }

        Assert.True(is_grad_enabled());
        Assert.True((x * 2).requires_grad);
        Assert.False((x * 2).detach().requires_grad);
        using (inference_mode())
        {
            Assert.True(is_inference_mode_enabled());
            Assert.False((x * 2).requires_grad);
        }

        Assert.False(is_inference_mode_enabled());
    }

    [Fact]
    public void Refuses_to_change_a_leaf_in_place()
    {
        var x = tensor([1f, 2f], requires_grad: true);

        var error = Assert.ThrowsAny<System.Runtime.InteropServices.ExternalException>(() => x.add_(1));
        Assert.Contains("leaf Variable that requires grad", error.Message, StringComparison.Ordinal);
    }
}
