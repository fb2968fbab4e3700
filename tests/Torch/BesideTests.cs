using Pipelines.Torch;

namespace Pipelines.Tests.Torch;

public sealed class BesideTests
{
    [Fact]
    public void A_step_is_taken_in_order_and_by_one_at_a_time()
    {
        var order = new List<long>();

        Extensions.BesideInOrder(50, 3, (index, turn) => turn("step", () => order.Add(index)));

        Assert.Equal(Enumerable.Range(0, 50).Select(index => (long)index), order);
    }

    [Fact]
    public void Each_step_has_an_order_of_its_own()
    {
        var (order, steps) = (new StepOrder(), new List<string>());

        foreach (var (index, step) in new[] { (0, "a"), (1, "a"), (0, "b"), (1, "b") })
            order.Take(index, step, () => steps.Add($"{step}{index}"));

        Assert.Equal(["a0", "a1", "b0", "b1"], steps);
    }

    [Fact]
    public void Who_leaves_a_step_out_holds_nobody_up_when_it_is_done()
    {
        var order = new List<long>();

        Extensions.BesideInOrder(30, 3, (index, turn) =>
        {
            if (index % 3 != 1)
                turn("step", () => order.Add(index));
        });

        Assert.Equal(Enumerable.Range(0, 30).Where(index => index % 3 != 1).Select(index => (long)index), order);
    }

    [Fact]
    public void A_step_is_taken_once()
    {
        var thrown = Assert.Throws<AggregateException>(() => Extensions.BesideInOrder(1, 1, (_, turn) =>
        {
            turn("step", () => { });
            turn("step", () => { });
        }));

        Assert.Equal("step: a step is taken once", Assert.IsType<InvalidOperationException>(Assert.Single(thrown.InnerExceptions)).Message);
    }

    [Fact]
    public void After_one_that_threw_no_step_is_taken()
    {
        var done = new List<long>();

        var thrown = Assert.Throws<AggregateException>(() => Extensions.BesideInOrder(20, 3, (index, turn) => turn("step", () =>
        {
            if (index == 5)
                throw new InvalidOperationException("five");
            done.Add(index);
        })));

        Assert.Equal("five", Assert.Single(thrown.InnerExceptions).Message);
        Assert.Equal([0, 1, 2, 3, 4], done);
    }
}
