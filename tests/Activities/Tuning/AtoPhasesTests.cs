using Pipelines.Activities.Tuning;
using Pipelines.Workflows;

namespace Pipelines.Tests.Activities.Tuning;

public sealed class AtoPhasesTests
{
    [Fact]
    public void One_step_in_so_many_trains_the_choice_while_there_is_one()
    {
        var phases = AtoPhases.Of(100, choose: 0.1, shorten: 0.2, settle: 0.5, closed: 0.8, every: 9);

        Assert.Equal((10, 20, 50, 80), (phases.Choose, phases.Shorten, phases.Settle, phases.Closed));
        Assert.Equal([19, 29, 39, 49], Enumerable.Range(0, 100).Where(phases.Chooses));
        Assert.All(Enumerable.Range(0, 101), step => Assert.Equal(Enumerable.Range(0, step).Count(phases.Chooses), phases.ChoicesBefore(step)));
        var longer = AtoPhases.Of(1000, 0.1, 0.2, 0.5, 0.8, 9);
        Assert.Equal((1, 0.1), (longer.ChoiceRate(491, 1), longer.ChoiceRate(492, 1)));
        Assert.Equal((1, 1, 14 / 15.0, 0), (phases.Shrink(50), phases.Shrink(64), phases.Shrink(65), phases.Shrink(79)));
    }

    [Theory]
    [InlineData(100, 0.3, 0.2, 0.5, 0.8, 9, "in this order")]
    [InlineData(100, 0.1, 0.2, 0.5, 0.5, 9, "in this order")]
    [InlineData(20, 0.1, 0.2, 0.5, 0.8, 9, "trains the choice")]
    [InlineData(4, 0.1, 0.2, 0.9, 0.95, 1, "between settle and closed")]
    public void Phases_that_cannot_be_are_refused(int steps, double choose, double shorten, double settle, double closed, int every, string said) =>
        Assert.Contains(said, Assert.Throws<StageException>(() => AtoPhases.Of(steps, choose, shorten, settle, closed, every)).Message);
}
