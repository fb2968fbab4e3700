using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class IndexingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory, Devices]
    public void Takes_rows_columns_and_ranges(string device)
    {
        var x = arange(12, device: device).reshape(3, 4);

        Near.Equal([4, 5, 6, 7], x[1]);
        Near.Equal(6, x[1, 2]);
        Near.Equal([2, 6, 10], x[.., 2]);
        Near.Equal([5, 6, 9, 10], x[1.., 1..3]);
        Near.Equal([7, 11], x[1.., ^1]);
        Near.Equal([0, 2, 8, 10], x[TensorIndex.Slice(step: 2), TensorIndex.Slice(0, 4, 2)]);
        Near.Equal([3, 7, 11], x[TensorIndex.Ellipsis, 3]);
        Assert.Equal([3, 1, 4], x[TensorIndex.Colon, TensorIndex.Null].shape);
        Near.Equal([8, 9, 10, 11], x[-1]);
    }

    [Theory, Devices]
    public void Takes_what_tensors_name(string device)
    {
        var x = arange(12, device: device).reshape(3, 4);
        var rows = tensor([2L, 0L], device: device);

        Near.Equal([8, 9, 10, 11, 0, 1, 2, 3], x[rows]);
        Near.Equal([9, 1], x[TensorIndex.Tensor(rows), 1]);
        Near.Equal([2, 0, 6, 4, 10, 8], x[.., TensorIndex.Tensor(rows)]);
        Near.Equal([10, 11], x[x > 9]);
        Near.Equal([8, 3], x[rows, tensor([0L, 3L], device: device)]);
    }

    [Theory, Devices]
    public void Assigns_through_an_index(string device)
    {
        var x = zeros([2, 3], float32, device);

        x[0] = tensor([1f, 2f, 3f], device: device);
        x[1, 2] = 5;
        x[.., 1] = 7;
        x[x > 6] = -1;

        Near.Equal([1, -1, 3, 0, -1, 5], x);
        x.index_put_(tensor(1f, device: device), new TensorIndex[] { 0, 0 }, accumulate: true);
        Near.Equal([2, -1, 3, 0, -1, 5], x);
    }

    [Fact]
    public void Shares_memory_with_what_it_was_cut_from()
    {
        var x = zeros(2, 3);

        x[.., 1].add_(4);

        Near.Equal([0, 4, 0, 0, 4, 0], x);
    }

    [Fact]
    public void Leaves_no_tensor_behind()
    {
        var x = arange(12).reshape(3, 4);
        var before = scope.DisposablesCount;

        x[1.., 1..3].Dispose();
        x[x > 5].Dispose();

        Assert.Equal(before + 1, scope.DisposablesCount); // The mask.
    }
}
