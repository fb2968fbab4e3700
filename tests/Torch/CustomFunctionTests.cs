using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class CustomFunctionTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory, Devices]
    public void Passes_gradients_straight_through_a_rounding(string device)
    {
        var x = tensor([0.4f, 0.6f, 3f], device: device, requires_grad: true);

        var y = StraightThrough.apply(x, 1.0);
        (y * tensor([1f, 2f, 3f], device: device)).sum().backward();

        Near.Equal([0, 1, 3], y);
        Near.Equal([1, 2, 0], x.grad!); // Outside of [-1, 1] nothing passes.
    }

    [Fact]
    public void Can_be_differentiated_twice()
    {
        var x = tensor([2.0, 3.0], requires_grad: true);

        var first = autograd.grad([Cube.apply(x).sum()], [x], create_graph: true)[0];
        var second = autograd.grad([first.sum()], [x])[0];

        Near.Equal([12, 27], first);
        Near.Equal([12, 18], second);
    }

    [Fact]
    public void Has_several_inputs_and_outputs()
    {
        var (x, y) = (tensor([2f], requires_grad: true), tensor([5f], requires_grad: true));

        var both = SumAndProduct.apply(x, y);
        (both[0] * 10 + both[1]).backward();

        Near.Equal([7], both[0]);
        Near.Equal([10], both[1]);
        Near.Equal([15], x.grad!);
        Near.Equal([12], y.grad!);
    }

    [Fact]
    public void Gets_zeros_for_an_output_that_nothing_used()
    {
        var (x, y) = (tensor([2f], requires_grad: true), tensor([5f], requires_grad: true));

        SumAndProduct.apply(x, y)[1].backward();

        Near.Equal([5], x.grad!);
    }

    [Fact]
    public void Throws_from_backward_what_was_thrown_in_it()
    {
        var x = tensor([1f], requires_grad: true);

        var error = Assert.Throws<NotSupportedException>(() => (Broken.apply(x) * 2).backward());

        Assert.Equal("no way back", error.Message);
        Assert.Contains(nameof(Broken), error.StackTrace!, StringComparison.Ordinal);
        (x * 3).backward();
        Near.Equal([3], x.grad!);
    }

    [Fact]
    public void Says_when_backward_returns_the_wrong_number_of_gradients()
    {
        var x = tensor([1f], requires_grad: true);

        var error = Assert.Throws<InvalidOperationException>(() => TooMany.apply(x).backward());

        Assert.Equal("backward returned 2 gradients for 1 arguments of forward", error.Message);
    }

    [Fact]
    public void Notices_that_a_saved_tensor_was_changed()
    {
        var x = tensor([2.0], requires_grad: true);
        var doubled = x * 2;
        var y = Cube.apply(doubled);

        using (no_grad())
            doubled.add_(1);

        var error = Assert.ThrowsAny<Exception>(() => y.backward());
        Assert.Contains("modified by an inplace operation", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lets_go_of_its_data_with_the_graph()
    {
        var held = Run();

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(held.IsAlive);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference Run()
        {
            var data = new object();
            using var inner = NewDisposeScope();
            var x = tensor([1f], requires_grad: true);
            Holder.apply(x, data).backward();
            return new WeakReference(data);
        }
    }

    private sealed class StraightThrough : autograd.SingleTensorFunction<StraightThrough>
    {
        public override string Name => nameof(StraightThrough);

        public override Tensor forward(autograd.AutogradContext ctx, params object?[] vars)
        {
            var x = (Tensor)vars[0]!;
            ctx.save_for_backward([x]);
            ctx.save_data("limit", vars[1]);
            return x.round();
        }

        public override List<Tensor?> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            var x = ctx.get_saved_variables()[0];
            return [grad_output * (x.abs() <= (double)ctx.get_data("limit")!), null];
        }
    }

    private sealed class Cube : autograd.SingleTensorFunction<Cube>
    {
        public override string Name => nameof(Cube);

        public override Tensor forward(autograd.AutogradContext ctx, params object?[] vars)
        {
            ctx.save_for_backward([(Tensor)vars[0]!]);
            return ((Tensor)vars[0]!).pow(3);
        }

        public override List<Tensor?> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
            [grad_output * ctx.get_saved_variables()[0].square() * 3];
    }

    private sealed class SumAndProduct : autograd.MultiTensorFunction<SumAndProduct>
    {
        public override string Name => nameof(SumAndProduct);

        public override List<Tensor> forward(autograd.AutogradContext ctx, params object?[] vars)
        {
            var (x, y) = ((Tensor)vars[0]!, (Tensor)vars[1]!);
            ctx.save_for_backward([x, y]);
            return [x + y, x * y];
        }

        public override List<Tensor?> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
        {
            var saved = ctx.get_saved_variables();
            return [grad_outputs[0] + grad_outputs[1] * saved[1], grad_outputs[0] + grad_outputs[1] * saved[0]];
        }
    }

    private sealed class Broken : autograd.SingleTensorFunction<Broken>
    {
        public override string Name => nameof(Broken);

        public override Tensor forward(autograd.AutogradContext ctx, params object?[] vars) => (Tensor)vars[0]!;

        public override List<Tensor?> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
            throw new NotSupportedException("no way back");
    }

    private sealed class TooMany : autograd.SingleTensorFunction<TooMany>
    {
        public override string Name => nameof(TooMany);

        public override Tensor forward(autograd.AutogradContext ctx, params object?[] vars) =>
            ((Tensor)vars[0]!).clone();

        public override List<Tensor?> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
            [grad_output, grad_output];
    }

    private sealed class Holder : autograd.SingleTensorFunction<Holder>
    {
        public override string Name => nameof(Holder);

        public override Tensor forward(autograd.AutogradContext ctx, params object?[] vars)
        {
            ctx.save_data("data", vars[1]);
            return ((Tensor)vars[0]!).clone();
        }

        public override List<Tensor?> backward(autograd.AutogradContext ctx, Tensor grad_output) => [grad_output, null];
    }
}
