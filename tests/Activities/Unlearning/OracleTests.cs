using System.Text.Json;
using Pipelines.Activities.Evaluation;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Activities.Unlearning;

public sealed class OracleTests : IDisposable
{
    private readonly StageFolder stages = new();

    public void Dispose() => stages.Dispose();

    [Fact]
    public void Few_ways_are_all_listed()
    {
        Assert.Equal(
            [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]],
            OraclePlans.Of([(4, 2)], 10, seed: 0).Select(plan => plan.Single()));
        Assert.Equal(12, OraclePlans.Of([(4, 2), (2, 1), (3, 3)], 12, seed: 0).Select(Text).Distinct().Count());
    }

    [Theory]
    [InlineData(7)]
    [InlineData(9)]
    public void Of_many_ways_as_many_as_wanted_are_drawn_each_once(int wanted)
    {
        var plans = OraclePlans.Of([(4, 2), (4, 3)], wanted, seed: 5);

        Assert.Equal(wanted, plans.Select(Text).Distinct().Count());
        Assert.All(plans, plan => Assert.Equal([2, 3], plan.Select(kept => kept.Distinct().Count())));
        Assert.All(plans.SelectMany(plan => plan), kept => Assert.Equal(kept.Order(), kept));
        Assert.Equal(plans.Select(Text), OraclePlans.Of([(4, 2), (4, 3)], wanted, seed: 5).Select(Text));
        Assert.NotEqual(plans.Select(Text), OraclePlans.Of([(4, 2), (4, 3)], wanted, seed: 6).Select(Text));
    }

    [Fact]
    public void Many_ways_need_not_be_counted_one_by_one()
    {
        var plans = OraclePlans.Of([.. Enumerable.Repeat((512, 256), 20)], 3, seed: 1);

        Assert.Equal(3, plans.Select(Text).Distinct().Count());
    }

    [Fact]
    public void One_way_is_no_choice() =>
        Assert.Contains("only one way", Assert.Throws<StageException>(() => OraclePlans.Of([(4, 4), (2, 2)], 5, 0)).Message);

    [Fact]
    public void A_study_says_how_far_before_tells_after()
    {
        OracleResult[] plans = [new(1, 0.6, 0.5, 0.80), new(2, 0.5, 0.4, 0.90), new(3, 0.4, 0.6, 0.70)];

        var study = OracleStudy.Of("p", plans, chosen: new(1.5, 0.5, 0.3, 0.95));

        // Of three pairs one is turned round.
        Assert.Equal(1 / 3.0, study.Kendall!.Value, 12);
        Assert.Equal(0.5, study.Spearman!.Value, 12);
        Assert.Equal(1 / 3.0, study.LossKendall!.Value, 12);
        Assert.Equal(1 / 3.0, study.Reversed, 12);
        Assert.Equal(0.1, study.Lost, 12);
        Assert.Equal((2 / 3.0, 1), (study.Chosen!.BetterBefore, study.Chosen.BetterAfter));
        Assert.Null(OracleStudy.Of("p", plans, null).Chosen);
    }

    [Fact]
    public async Task A_study_that_died_goes_on_after_the_last_plan_that_was_done()
    {
        var (model, images, evaluation) = await GivenAsync();
        object parameters = new { plans = 3, site = "layer1.0.conv1", epochs = 1, batch = 10, pad = 1 };
        var undisturbed = await StudyAsync(parameters, model, images, evaluation);
        var kept = Path.Combine(stages.Folder, "kept");
        stages.Checkpoints = new KeptCheckpoints(kept, dieAfter: 2);
        await Assert.ThrowsAsync<KeptCheckpoints.Died>(() => StudyAsync(parameters, model, images, evaluation));
        stages.Checkpoints = new KeptCheckpoints(kept);

        var gone = await StudyAsync(parameters, model, images, evaluation);

        Assert.Equal(undisturbed.GetRawText(), gone.GetRawText());
        Assert.Equal(3, Directory.EnumerateDirectories(kept).Count());
        var study = Json.Read<OracleStudy>(gone.GetProperty("study"));
        Assert.Equal(3, study.Plans.Distinct().Count());

        // Its decision is the best of them.
        stages.Checkpoints = new NoCheckpoints();
        var again = Json.Read<OracleStudy>((await StudyAsync(parameters, model, images, evaluation, gone.GetProperty("decision"))).GetProperty("study"));
        Assert.Equal(study.Plans.MaxBy(plan => plan.Accuracy), again.Chosen!.Result);
        Assert.Equal(study.Plans, again.Plans);
    }

    [Fact]
    public async Task A_place_that_is_not_there_is_refused()
    {
        var (model, images, evaluation) = await GivenAsync();

        var error = await Assert.ThrowsAsync<StageException>(() => StudyAsync(new { site = "conv9" }, model, images, evaluation));

        Assert.Contains("no place 'conv9': expected one of", error.Message);
        Assert.Contains("layer1.0.conv1", error.Message);
    }

    private static string Text(int[][] plan) => string.Join(';', plan.Select(kept => string.Join(',', kept)));

    private async Task<(JsonElement Model, JsonElement Images, JsonElement Evaluation)> GivenAsync()
    {
        var made = await stages.RunAsync("data.synthetic-images", new { classes = 3, perClass = 10, evaluationPerClass = 10, size = 16 });
        var images = made.GetProperty("images");
        var model = await stages.RunAsync("model.train-classifier", new { depth = 20, epochs = 2, batch = 10, pad = 1 }, ("data", images));
        return (model.GetProperty("model"), images, made.GetProperty("evaluation"));
    }

    private Task<JsonElement> StudyAsync(
        object parameters, JsonElement model, JsonElement images, JsonElement evaluation, JsonElement? decision = null) => stages.RunAsync(
        "evaluate.oracle", parameters,
        [("model", model), ("data", images), ("evaluation", evaluation), .. decision is { } one ? [("decision", one)] : Array.Empty<(string, JsonElement)>()]);
}
