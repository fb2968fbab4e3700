using System.Text.Json;
using System.Text.Json.Nodes;
using Pipelines.Activities.Evaluation;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Unlearning;

/// <summary>Whole stages that make a classifier forget a class, and the one that measures how well.</summary>
public sealed class UnlearningStageTests : IDisposable
{
    private readonly StageFolder stages = new();

    public static TheoryData<string, string> Methods => new()
    {
        { "unlearn.finetune", """{"epochs":1.5,"batch":8,"learningRate":0.02,"penalty":0.001}""" },
        { "unlearn.ascent", """{"epochs":2,"batch":4,"learningRate":0.002}""" },
        { "unlearn.fisher", """{"samples":4,"strength":1e-5}""" },
        { "unlearn.fisher", """{"samples":3,"strength":1e-3,"power":0.5,"labels":"expected"}""" },
        { "unlearn.influence", """{"samples":3,"batch":10,"strength":0.1}""" },
    };

    public void Dispose() => stages.Dispose();

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Unlearning_that_died_at_any_step_ends_with_the_bits_of_one_that_did_not(string kind, string parameters)
    {
        var data = await DataAsync();
        var model = await TrainedAsync(data.All);
        stages.Checkpoints = new KeptCheckpoints(Path.Combine(stages.Folder, "whole"));
        var undisturbed = await UnlearnAsync();
        var steps = Directory.EnumerateDirectories(Path.Combine(stages.Folder, "whole")).Count();
        Assert.True(steps >= 3);

        for (var dies = 1; dies < steps; dies++)
        {
            var kept = Path.Combine(stages.Folder, $"dies-{dies}");
            stages.Checkpoints = new KeptCheckpoints(kept, dies);
            await Assert.ThrowsAsync<KeptCheckpoints.Died>(UnlearnAsync);
            stages.Checkpoints = new KeptCheckpoints(kept);

            Assert.Equal(undisturbed, await UnlearnAsync());

            // It went on: no step was done twice.
            Assert.Equal(steps, Directory.EnumerateDirectories(kept).Count());
        }

        async Task<string> UnlearnAsync() => (await RunAsync(kind, parameters, model, data)).GetProperty("model").GetRawText();
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task What_was_pruned_stays_zero_and_the_rest_moves(string kind, string parameters)
    {
        var data = await DataAsync();
        var pruned = (await stages.RunAsync(
            "prune.magnitude", new { sparsity = 0.8, scope = "global", layers = "convolutions" }, ("model", await TrainedAsync(data.All)))).GetProperty("model");

        var made = await RunAsync(kind, parameters, pruned, data);

        using var before = await LoadAsync(pruned);
        using var after = await LoadAsync(made.GetProperty("model"));
        using var scope = NewDisposeScope();
        foreach (var (name, tensor) in before.NamedParameters().Where(one => one.Tensor.ndim > 1))
            Assert.True(after[name].masked_select(tensor.eq(0)).eq(0).all().ToBoolean(), name);
        Assert.False(before["layer1.0.conv1.weight"].Equals(after["layer1.0.conv1.weight"]));
        Assert.True(made.GetProperty("seconds").GetDouble() > 0);
    }

    [Fact]
    public async Task A_penalty_makes_the_parameters_smaller()
    {
        var data = await DataAsync();
        var model = await TrainedAsync(data.All);

        var plain = await NormAsync(0, 0);
        var penalized = await NormAsync(0.01, 0);
        var halfFree = await NormAsync(0.01, 1);

        Assert.True(penalized < 0.98 * plain, $"{penalized} of {plain}");
        Assert.InRange(halfFree, penalized, plain);
        Assert.Contains(
            "expected fewer",
            (await Assert.ThrowsAsync<StageException>(() => RunAsync("unlearn.finetune", """{"epochs":1,"freeEpochs":1,"penalty":0.1}""", model, data))).Message);

        async Task<double> NormAsync(double penalty, double freeEpochs)
        {
            var made = await stages.RunAsync(
                "unlearn.finetune", new { epochs = 2, batch = 8, penalty, freeEpochs, weightDecay = 0 }, ("model", model), ("retained", data.Retained));
            using var network = await LoadAsync(made.GetProperty("model"));
            using var scope = NewDisposeScope();
            return network.NamedParameters().Sum(one => one.Tensor.abs().sum().ToDouble());
        }
    }

    [Fact]
    public async Task Ascent_raises_the_loss_of_what_is_to_be_forgotten_and_influence_does_by_more_than_of_the_rest()
    {
        var data = await DataAsync();
        var model = await TrainedAsync(data.All);

        var ascended = (await RunAsync("unlearn.ascent", """{"epochs":5,"batch":4,"learningRate":0.001}""", model, data)).GetProperty("model");
        var moved = (await RunAsync("unlearn.influence", """{"samples":32,"damping":0.1}""", model, data)).GetProperty("model");

        var (forgotten, retained) = (await LossAsync(model, data.Forgotten), await LossAsync(model, data.Retained));
        Assert.True(await LossAsync(ascended, data.Forgotten) > forgotten);
        var (raised, beside) = (await LossAsync(moved, data.Forgotten) - forgotten, await LossAsync(moved, data.Retained) - retained);
        Assert.True(raised > 0 && raised > beside, $"{raised} beside {beside}");
    }

    [Theory]
    [InlineData("unlearn.fisher", """{"samples":2,"strength":0}""")]
    [InlineData("unlearn.influence", """{"samples":2,"strength":0}""")]
    public async Task Without_strength_nothing_changes(string kind, string parameters)
    {
        var data = await DataAsync();
        var model = await TrainedAsync(data.All);

        Assert.Equal(model.GetRawText(), (await RunAsync(kind, parameters, model, data)).GetProperty("model").GetRawText());
    }

    [Fact]
    public async Task Images_of_other_classes_and_models_of_another_family_are_refused()
    {
        var data = await DataAsync();
        var model = await TrainedAsync(data.All);
        var others = (await stages.RunAsync("data.synthetic-images", new { classes = 4, perClass = 2, evaluationPerClass = 1, size = 16 })).GetProperty("images");
        var language = await stages.ModelAsync();

        foreach (var (kind, _) in Methods.Select(row => row.Data))
        {
            var wrong = data with { Forgotten = others, Retained = others };
            Assert.Contains("of 4 classes", (await Assert.ThrowsAsync<StageException>(() => RunAsync(kind, "{}", model, wrong))).Message);
            Assert.Contains("language model", (await Assert.ThrowsAsync<StageException>(() => RunAsync(kind, "{}", language, data))).Message);
        }
    }

    [Fact]
    public async Task A_measurement_is_the_accuracies_the_attacks_and_the_gap()
    {
        var data = await DataAsync();
        var (model, retrained) = (await TrainedAsync(data.All), await TrainedAsync(data.Retained));

        var gold = await MeasureAsync(retrained, data);
        var one = await MeasureAsync(model, data, ("retrained", gold), ("seconds", JsonElement.Parse("2.5")));

        var measured = Json.Read<UnlearningMeasurement>(one);
        Assert.Equal(1 - await AccuracyAsync(model, data.Forgotten), measured.Unlearning, 12);
        Assert.Equal(await AccuracyAsync(model, data.Retained), measured.Retained, 12);

        // Of the test images those of the forgotten class do not count.
        var left = (await stages.RunAsync("data.split-images", new { @class = "disc", fraction = 1.0 }, ("images", data.Test))).GetProperty("rest");
        Assert.Equal(await AccuracyAsync(model, left), measured.Test, 12);
        Assert.Equal(Enum.GetValues<MembershipFeature>(), measured.Attacks.Select(attack => attack.Feature));
        Assert.Equal(measured.Attacks[(int)MembershipFeature.Confidence].Efficacy, measured.Membership);
        Assert.Equal(2.5, measured.Seconds);
        Assert.Contains(":classes=retained:members=first-16:attack=svm-rbf-c3:", measured.Protocol);

        var other = Json.Read<UnlearningMeasurement>(gold);
        Assert.Equal(UnlearningGap.Between(measured, other), measured.Gap);
        Assert.Null(other.Gap);
        Assert.Equal(1, other.Unlearning);
    }

    [Fact]
    public async Task Measurements_that_cannot_be_compared_are_refused()
    {
        var data = await DataAsync();
        var model = await TrainedAsync(data.All);
        var all = await stages.RunAsync(
            "evaluate.unlearning", new { classes = "all" }, ("model", model), ("forgotten", data.Forgotten), ("retained", data.Retained), ("test", data.Test));

        var error = await Assert.ThrowsAsync<StageException>(() => MeasureAsync(model, data, ("retrained", all.GetProperty("measurement"))));
        var none = await Assert.ThrowsAsync<StageException>(() => MeasureAsync(model, data with { Test = data.Forgotten }));

        Assert.Contains("their gap means nothing", error.Message);
        Assert.Contains("no test image is of a class that is retained", none.Message);
    }

    private async Task<Data> DataAsync()
    {
        var made = await stages.RunAsync("data.synthetic-images", new { classes = 3, perClass = 10, evaluationPerClass = 8, size = 16 });
        var split = await stages.RunAsync("data.split-images", new { @class = "disc", fraction = 1.0 }, ("images", made.GetProperty("images")));
        return new Data(made.GetProperty("images"), split.GetProperty("part"), split.GetProperty("rest"), made.GetProperty("evaluation"));
    }

    private async Task<JsonElement> TrainedAsync(JsonElement images) => (await stages.RunAsync(
        "model.train-classifier", new { depth = 20, epochs = 6, batch = 10, pad = 1 }, ("data", images))).GetProperty("model");

    private Task<JsonElement> RunAsync(string kind, string parameters, JsonElement model, Data data) => stages.RunAsync(
        kind, JsonNode.Parse(parameters)!, ("model", model), ("forgotten", data.Forgotten), ("retained", data.Retained));

    private async Task<JsonElement> MeasureAsync(JsonElement model, Data data, params (string Port, JsonElement Value)[] more) =>
        (await stages.RunAsync(
            "evaluate.unlearning", new { },
            [("model", model), ("forgotten", data.Forgotten), ("retained", data.Retained), ("test", data.Test), .. more])).GetProperty("measurement");

    private async Task<double> AccuracyAsync(JsonElement model, JsonElement images) => (await ScoresAsync(model, images)).GetProperty("top1").GetDouble();

    private async Task<double> LossAsync(JsonElement model, JsonElement images) => (await ScoresAsync(model, images)).GetProperty("loss").GetDouble();

    private async Task<JsonElement> ScoresAsync(JsonElement model, JsonElement images) =>
        (await stages.RunAsync("evaluate.accuracy", new { }, ("model", model), ("data", images))).GetProperty("scores");

    private async Task<ImageClassifier> LoadAsync(JsonElement checkpoint) => VisionFolder.Load(await stages.OpenAsync(checkpoint), CPU);

    private sealed record Data(JsonElement All, JsonElement Forgotten, JsonElement Retained, JsonElement Test);
}
