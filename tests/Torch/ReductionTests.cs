using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class ReductionTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory, Devices]
    public void Sums_and_averages_all_or_along_dimensions(string device)
    {
        var x = tensor([1f, 2f, 3f, 4f, 5f, 6f], [2, 3], device: device);

        Near.Equal(21, x.sum());
        Near.Equal([5, 7, 9], x.sum(0));
        Near.Equal([6, 15], x.sum(-1));
        Assert.Equal([2, 1], x.sum(1, keepdim: true).shape);
        Assert.Equal(ScalarType.Float64, x.sum(ScalarType.Float64).dtype);
        Near.Equal(3.5, x.mean());
        Near.Equal([2, 5], x.mean([1]));
        Near.Equal(720, x.prod());
        Near.Equal([1, 3, 6, 4, 9, 15], x.cumsum(1));
    }

    [Fact]
    public void Measures_spread()
    {
        var x = tensor([1f, 2f, 3f, 6f]);

        Near.Equal(4.6666667, x.var());
        Near.Equal(3.5, x.var(unbiased: false));
        Near.Equal(2.1602469, x.std());
        Near.Equal([2.1602469], x.reshape(1, 4).std(1));
    }

    [Theory, Devices]
    public void Finds_extremes_and_where_they_are(string device)
    {
        var x = tensor([3f, 1f, 2f, 9f, 7f, 8f], [2, 3], device: device);

        Near.Equal(9, x.max());
        var (values, indexes) = x.max(1);
        Near.Equal([3, 9], values);
        Near.Equal([0, 0], indexes);
        Near.Equal([1, 1], x.min(1).indexes);
        Near.Equal(3, x.argmax());
        Near.Equal([1, 1], x.argmin(1));
        Near.Equal([9, 7, 8], x.amax(0));
        Near.Equal([1, 7], x.amin(1));
    }

    [Theory, Devices]
    public void Sorts_and_picks_the_largest(string device)
    {
        var x = tensor([3f, 1f, 2f], device: device);

        Near.Equal([1, 2, 3], x.sort().Values);
        Near.Equal([0, 2, 1], x.sort(descending: true).Indices);
        Near.Equal([1, 2, 0], x.argsort());
        Near.Equal([3, 2], x.topk(2).values);
        Near.Equal([1, 2], x.topk(2, largest: false).values);
        Near.Equal(2, x.kthvalue(2, 0).values);
        Near.Equal(2, x.median());
        Near.Equal(1.5, x.quantile(tensor(0.25f, device: device)));
    }

    [Fact]
    public void Keeps_the_order_of_equals_in_a_stable_sort() =>
        Near.Equal([1, 3, 0, 2], tensor([2, 1, 2, 1]).sort(stable: true).Indices);

    [Fact]
    public void Counts_and_lists_what_is_there()
    {
        var x = tensor([2L, 0L, 2L, 5L]);

        Near.Equal(3, x.count_nonzero());
        Near.Equal([0, 2, 5], x.unique().output);
        var (_, inverse, counts) = x.unique(return_inverse: true, return_counts: true);
        Near.Equal([1, 0, 1, 2], inverse!);
        Near.Equal([1, 2, 1], counts!);
        Assert.Null(x.unique().counts);
        Near.Equal([1, 0, 2, 0, 0, 1], x.bincount(null));
        Assert.True((x > 1).any().ToBoolean());
        Assert.False((x > 1).all().ToBoolean());
    }

    [Fact]
    public void Takes_norms()
    {
        var x = tensor([3f, -4f, 0f, 12f], [2, 2]);

        Near.Equal(13, x.norm());
        Near.Equal(19, x.norm(1f));
        Near.Equal([5, 12], x.norm(1, false, 2f));
        Near.Equal(13, linalg.norm(x));
    }
}
