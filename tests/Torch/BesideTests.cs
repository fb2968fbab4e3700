using Pipelines.Torch;

namespace Pipelines.Tests.Torch;

public sealed class BesideTests
{
    [Fact]
    public void What_comes_after_the_turn_is_done_in_order_and_by_one_at_a_time()
    {
        var order = new List<long>();

        Extensions.BesideInOrder(50, 3, (index, turn) =>
        {
            turn();
            order.Add(index);
        });

        Assert.Equal(Enumerable.Range(0, 50).Select(index => (long)index), order);
    }

    [Fact]
    public void After_one_that_threw_none_is_done()
    {
        var done = new List<long>();

        var thrown = Assert.Throws<AggregateException>(() => Extensions.BesideInOrder(20, 3, (index, turn) =>
        {
            turn();
            if (index == 5)
                throw new InvalidOperationException("five");
            done.Add(index);
        }));

        Assert.Equal("five", Assert.Single(thrown.InnerExceptions).Message);
        Assert.Equal([0, 1, 2, 3, 4], done);
    }
}
