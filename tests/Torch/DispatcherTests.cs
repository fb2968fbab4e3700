using TorchSharp;
using static Pipelines.Torch.Extensions;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class DispatcherTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Calls_any_operator_by_name()
    {
        var x = tensor([1f, 2f]);

        Near.Equal([3, 6], (Tensor)Call("aten::add.Tensor", x, x, 2)[0]!);
    }

    [Fact]
    public void Fills_in_the_defaults_of_the_schema() =>
        Near.Equal([2, 4], (Tensor)Call("aten::add.Tensor", tensor([1f, 2f]), tensor([1f, 2f]))[0]!);

    [Fact]
    public void Turns_whole_numbers_into_what_the_schema_wants() =>
        Near.Equal([3, 3], (Tensor)Call("aten::normal_", zeros(2), 3, 0)[0]!);

    [Fact]
    public void Returns_numbers_booleans_lists_and_several_results()
    {
        var x = tensor([3f, 1f]);

        Assert.Equal(3.0, Call("aten::item", x[0])[0]);
        Assert.Equal(true, Call("aten::equal", x, x)[0]);
        Assert.Equal(2, ((Tensor[])Call("aten::unbind.int", x)[0]!).Length);
        Assert.Equal(2, Call("aten::max.dim", x, 0).Length);
        Assert.Equal(2L, Call("aten::size.int", x, 0)[0]);
    }

    [Fact]
    public void Takes_strings_lists_dtypes_and_devices()
    {
        var x = tensor([1f, 2f, 3f, 4f], [2, 2]);

        Near.Equal([7, 10, 15, 22], (Tensor)Call("aten::einsum", "ij,jk->ik", new[] { x, x })[0]!);
        Near.Equal([1, 1], (Tensor)Call("aten::ones", new[] { 2L }, ScalarType.Int64, null, CPU)[0]!);
        Assert.Throws<ArgumentException>(() => Call("aten::add.Tensor", x, new object()));
    }

    [Fact]
    public void Calls_operators_from_many_threads_at_once()
    {
        var x = ones(100);

        Parallel.For(0, 64, i =>
        {
            using var inner = NewDisposeScope();
            for (var step = 0; step < 100; step++)
                Assert.Equal(100.0 * i, (x * i).sum().ToDouble());
        });
    }

    [Fact]
    public void Keeps_every_thread_to_the_number_of_threads_that_was_set()
    {
        var counts = new int[4];
        var threads = Enumerable.Range(0, 4).Select(i => new Thread(() => counts[i] = get_num_threads())).ToList();

        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        Assert.Equal([1, 1, 1, 1], counts);
    }
}
