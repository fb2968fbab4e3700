using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class ShapeTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Reshapes_without_copying()
    {
        var x = arange(6).view(2, 3);

        x.view(3, 2)[0, 0] = 7;
        x.t()[2, 1] = 8;

        Near.Equal([7, 1, 2, 3, 4, 8], x);
        Assert.Equal([3, 2], x.t().shape);
        Assert.Equal([1, 3], x.t().stride());
        Assert.False(x.t().is_contiguous());
        Assert.True(x.t().contiguous().is_contiguous());
        Assert.Equal([3, 1, 2], x.unsqueeze(0).permute(2, 0, 1).shape);
        Assert.Equal([2, 3], x.unsqueeze(1).squeeze(1).shape);
        Assert.Equal([4, 2, 3], x.expand(4, 2, 3).shape);
        Assert.Equal([6], x.flatten().shape);
        Assert.Equal([3, 2], x.transpose(0, -1).shape);
        Assert.Equal([2, 3, 1], x.unflatten(1, 3, 1).shape);
    }

    [Theory, Devices]
    public void Joins_and_splits(string device)
    {
        var x = arange(4, device: device).reshape(2, 2);

        Near.Equal([0, 1, 2, 3, 0, 1, 2, 3], cat([x, x]));
        Near.Equal([0, 1, 0, 1, 2, 3, 2, 3], cat([x, x], 1));
        Assert.Equal([2, 2, 2], stack([x, x]).shape);
        Near.Equal([2, 3], x.split(1)[1]);
        Near.Equal([1, 3], x.split([1, 1], 1)[1]);
        Near.Equal([0, 2], x.chunk(2, 1)[0]);
        Near.Equal([2, 3], x.unbind()[1]);
        Near.Equal([1, 3], x.narrow(1, 1, 1));
        Near.Equal([1, 3], x.select(1, 1));
    }

    [Theory, Devices]
    public void Repeats_flips_and_rolls(string device)
    {
        var x = tensor([1f, 2f, 3f], device: device);

        Near.Equal([1, 2, 3, 1, 2, 3], x.repeat(2));
        Near.Equal([1, 1, 2, 2, 3, 3], x.repeat_interleave(2));
        Near.Equal([1, 3, 3], x.repeat_interleave(tensor([1L, 0L, 2L], device: device)));
        Near.Equal([3, 2, 1], x.flip(0));
        Near.Equal([3, 1, 2], x.roll(1));
    }

    [Theory, Devices]
    public void Gathers_and_scatters(string device)
    {
        var x = tensor([1f, 2f, 3f, 4f], [2, 2], device: device);
        var order = tensor([1L, 0L], device: device);

        Near.Equal([3, 4, 1, 2], x.index_select(0, order));
        Near.Equal([2, 3], x.gather(1, order.unsqueeze(1)));
        Near.Equal([2, 4], x.masked_select(x % 2 == 0));
        Near.Equal([4, 1], x.take(tensor([3L, 0L], device: device)));
        Near.Equal([0, 1, 1, 1], (x % 2 == 0).nonzero());
        Near.Equal([4, 4, 4, 6], x.clone().index_add_(0, order, tensor([1f, 2f, 3f, 2f], [2, 2], device: device), 1));
        Near.Equal([9, 8, 3, 4], x.index_copy(0, order[1..], tensor([9f, 8f], [1, 2], device: device)));
        Near.Equal([1, 7, 7, 4], x.scatter(1, order.unsqueeze(1), full([2, 1], 7, float32, device)));
        Near.Equal([1, 3, 4, 4], x.scatter_add(1, order.unsqueeze(1), ones([2, 1], float32, device)));
    }

    [Fact]
    public void Makes_tensors()
    {
        Near.Equal([0, 0], zeros(2));
        Near.Equal([1, 1], ones([2], int64));
        Near.Equal([3, 3], full(2, 3));
        Near.Equal([1, 0, 0, 1], eye(2));
        Near.Equal([0, 2, 4], arange(0, 5, 2));
        Assert.Equal(int64, arange(3).dtype);
        Assert.Equal(float32, arange(3.0).dtype);
        Near.Equal([0, 0.5, 1], linspace(0, 1, 3));
        Near.Equal([1, 0, 3, 4], tensor([1f, 2f, 3f, 4f], [2, 2]).tril());
        Near.Equal([0, 2, 0, 0], tensor([1f, 2f, 3f, 4f], [2, 2]).triu(1));
        Assert.Equal([2, 3, 4, 5], empty(2, 3, 4, 5).shape);
        Near.Equal([0, 0], zeros_like(tensor([5, 6])));
        Near.Equal([1, 2, 3, 4], tensor(new[,] { { 1, 2 }, { 3, 4 } }));
        Assert.Equal([], tensor(5f).shape);
    }

    [Fact]
    public void Says_what_it_is()
    {
        Assert.Equal("[2,3] float32 cpu", zeros(2, 3).ToString());
        Assert.Equal("[2] int64 cpu [1, 2]", tensor([1L, 2L]).ToString(true));
        Assert.Equal("[] bool cpu True", tensor(true).ToString(true));
    }
}
