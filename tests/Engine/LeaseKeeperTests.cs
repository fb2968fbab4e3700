using Pipelines.Engine;

namespace Pipelines.Tests.Engine;

public sealed class LeaseKeeperTests
{
    [Theory]
    [InlineData(3, 0.6)]
    [InlineData(20, 4)]
    [InlineData(600, 5)] // the worker itself would count as dead after 15
    public void Renews_often_enough_for_the_lease_and_for_the_worker(double lease, double period) =>
        Assert.Equal(TimeSpan.FromSeconds(period), LeaseKeeper.Period(TimeSpan.FromSeconds(lease)));
}
