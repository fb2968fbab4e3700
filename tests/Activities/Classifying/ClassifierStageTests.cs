using System.Text.Json;
using Pipelines.Activities.Evaluation;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Classifying;

/// <summary>Whole stages on small images: a classifier is trained, trained on, measured.</summary>
public sealed class ClassifierStageTests : IDisposable
{
    private readonly StageFolder stages = new();

    public void Dispose() => stages.Dispose();

    [Fact]
    public async Task A_classifier_learns_what_its_images_show()
    {
        var made = await stages.RunAsync("data.synthetic-images", new { classes = 3, perClass = 40, evaluationPerClass = 20, size = 16 });

        var model = (await stages.RunAsync(
            "model.train-classifier", new { epochs = 8, batch = 20, pad = 2 }, ("data", made.GetProperty("images")))).GetProperty("model");
        var measured = await MeasureAsync(model, made.GetProperty("evaluation"));

        // By chance it would be 0.33.
        Assert.True(measured.Measurement.Accuracy > 0.6, $"{measured.Measurement.Accuracy}");
        Assert.Equal(60, measured.Scores.Images);
        Assert.Equal(60, measured.Scores.Classes.Sum(one => one.Said));
        var config = JsonElement.Parse(File.ReadAllText(Path.Combine(await stages.OpenAsync(model), "config.json")));
        Assert.Equal((3, 16), (config.GetProperty("num_classes").GetInt32(), config.GetProperty("image_size").GetInt32()));
        Assert.Equal("columns", config.GetProperty("id2label").GetProperty("1").GetString());
    }

    [Theory]
    [InlineData("model.train-classifier", "sgd", "CifarResNet", false)]
    [InlineData("model.train-classifier", "adamw", "MobileNetV2", false)]
    [InlineData("finetune.classifier", "sgd", "CifarResNet", true)]
    [InlineData("finetune.classifier", "adamw", "CifarResNet", false)]
    public async Task Training_that_died_goes_on_to_the_same_bits(string kind, string optimizer, string architecture, bool taught)
    {
        // With dropout, MobileNet draws in the network as well.
        var images = await ImagesAsync(architecture == "MobileNetV2" ? 32 : 16);
        var from = kind == "finetune.classifier" ? await TrainedAsync(images, seed: 1) : (JsonElement?)null;
        var teacher = taught ? await TrainedAsync(images, seed: 2) : (JsonElement?)null;
        var parameters = kind == "finetune.classifier"
            ? JsonSerializer.SerializeToElement(new { epochs = 3, batch = 8, optimizer, mixup = 0.2, smoothing = 0.1, pad = 2, nesterov = optimizer == "sgd" })
            : JsonSerializer.SerializeToElement(new { epochs = 3, batch = 8, optimizer, mixup = 0.2, smoothing = 0.1, pad = 2, nesterov = optimizer == "sgd", architecture, learningRate = 0.01 });
        (string, JsonElement)[] inputs = [("data", images), .. from is { } model ? [("model", model)] : Array.Empty<(string, JsonElement)>(), .. teacher is { } one ? [("teacher", one)] : Array.Empty<(string, JsonElement)>()];
        var expected = await stages.RunAsync(kind, parameters, inputs);
        var checkpoints = Path.Combine(stages.Folder, "checkpoints");

        stages.Checkpoints = new KeptCheckpoints(checkpoints, dieAfter: 2);
        await Assert.ThrowsAsync<KeptCheckpoints.Died>(() => stages.RunAsync(kind, parameters, inputs));
        stages.Checkpoints = new KeptCheckpoints(checkpoints);
        var gone = await stages.RunAsync(kind, parameters, inputs);

        Assert.Equal(expected.GetRawText(), gone.GetRawText());
        // It did go on: nothing was done twice.
        Assert.Equal(6, Directory.EnumerateDirectories(checkpoints).Count());
    }

    [Fact]
    public async Task Zeroed_weights_stay_zero_and_norms_keep_statistics_of_the_new_images()
    {
        var images = await ImagesAsync();
        var model = await TrainedAsync(images, seed: 1);
        var folder = Path.Combine(stages.Folder, "zeroed");
        Directory.CreateDirectory(folder);
        using (var network = VisionFolder.Load(await stages.OpenAsync(model), CPU))
        using (no_grad())
        {
            network["layer1.0.conv1.weight"].narrow(1, 0, 8).zero_();
            VisionFolder.Save(network, folder);
        }

        var zeroed = (await stages.RunAsync("model.load", new { path = folder })).GetProperty("model");
        var tuned = (await stages.RunAsync("finetune.classifier", new { epochs = 1, batch = 8 }, ("model", zeroed), ("data", images))).GetProperty("model");

        using var before = VisionFolder.Load(folder, CPU);
        using var after = VisionFolder.Load(await stages.OpenAsync(tuned), CPU);
        using var scope = NewDisposeScope();
        Assert.True(after["layer1.0.conv1.weight"].narrow(1, 0, 8).eq(0).all().ToBoolean());
        Assert.False(after["layer1.0.conv1.weight"].Equals(before["layer1.0.conv1.weight"]));
        Assert.False(after["bn1.running_mean"].Equals(before["bn1.running_mean"]));
        Assert.Equal(before["bn1.num_batches_tracked"].ToInt64() + 2, after["bn1.num_batches_tracked"].ToInt64());
    }

    [Fact]
    public async Task A_teacher_alone_draws_the_student_to_its_answers()
    {
        var images = await ImagesAsync();
        var (student, teacher) = (await TrainedAsync(images, seed: 1, epochs: 15), await TrainedAsync(images, seed: 2, epochs: 15));

        var near = await stages.RunAsync(
            "finetune.classifier", new { epochs = 20, batch = 8, learningRate = 0.03, teaching = 1, temperature = 1, pad = 0, flip = false }, ("model", student), ("teacher", teacher), ("data", images));

        Assert.True(await DistanceAsync(near.GetProperty("model"), teacher) < 0.5 * await DistanceAsync(student, teacher));

        async Task<double> DistanceAsync(JsonElement one, JsonElement other)
        {
            using var a = VisionFolder.Load(await stages.OpenAsync(one), CPU);
            using var b = VisionFolder.Load(await stages.OpenAsync(other), CPU);
            using var file = SafetensorsFile.Open(Path.Combine(await stages.OpenAsync(images), "images.safetensors"));
            using var scope = NewDisposeScope();
            using var ungraded = no_grad();
            var inputs = new Pipelines.Activities.Classifying.Normalization(a.Config.Mean, a.Config.StandardDeviations).Of(file.View("pixels"), CPU);
            return (a.Forward(inputs).softmax(1) - b.Forward(inputs).softmax(1)).abs().mean().ToDouble();
        }
    }

    [Fact]
    public async Task Images_of_another_size_or_other_classes_are_refused()
    {
        var model = await TrainedAsync(await ImagesAsync(), seed: 1);
        var large = (await stages.RunAsync("data.synthetic-images", new { classes = 2, perClass = 2, evaluationPerClass = 1, size = 20 })).GetProperty("images");
        var many = (await stages.RunAsync("data.synthetic-images", new { classes = 3, perClass = 2, evaluationPerClass = 1, size = 16 })).GetProperty("images");

        Assert.Contains("3 × 20 × 20: CifarResNet takes 3 × 16 × 16", await RefusedAsync("evaluate.accuracy", new { }, ("model", model), ("data", large)));
        Assert.Contains("3 classes: CifarResNet tells 2 apart", await RefusedAsync("finetune.classifier", new { }, ("model", model), ("data", many)));
        Assert.Contains("nesterov", await RefusedAsync("model.train-classifier", new { nesterov = true, momentum = 0 }, ("data", many)));
        Assert.Contains("names 'AlexNet': expected one of CifarResNet", await RefusedAsync("model.train-classifier", new { architecture = "AlexNet" }, ("data", many)));
        Assert.Contains("images of 16 × 16 leave nothing here", await RefusedAsync("model.train-classifier", new { architecture = "CifarVgg" }, ("data", many)));
    }

    [Fact]
    public async Task A_batch_does_not_change_the_measurement()
    {
        var images = await ImagesAsync();
        var model = await TrainedAsync(images, seed: 1);

        var (one, other) = (await MeasureAsync(model, images, 5), await MeasureAsync(model, images, 250));

        Assert.Equal(one.Measurement, other.Measurement);
        Assert.Equal(one.Scores.Loss, other.Scores.Loss, 4);
        Assert.StartsWith("accuracy-1:images=", one.Measurement.Protocol);
        Assert.Equal(2 * one.Scores.Macs, one.Measurement.Flops);
    }

    private async Task<JsonElement> ImagesAsync(int size = 16) => (await stages.RunAsync(
        "data.synthetic-images", new { classes = 2, perClass = 8, evaluationPerClass = 1, size })).GetProperty("images");

    private async Task<JsonElement> TrainedAsync(JsonElement images, long seed, double epochs = 2) => (await stages.RunAsync(
        "model.train-classifier", new { epochs, batch = 8, seed, pad = 0 }, ("data", images))).GetProperty("model");

    private async Task<EvaluateAccuracy.Outputs> MeasureAsync(JsonElement model, JsonElement images, int batch = 250) =>
        Json.Read<EvaluateAccuracy.Outputs>(await stages.RunAsync("evaluate.accuracy", new { batch }, ("model", model), ("data", images)));

    private async Task<string> RefusedAsync(string kind, object parameters, params (string, JsonElement)[] inputs) =>
        (await Assert.ThrowsAsync<StageException>(() => stages.RunAsync(kind, parameters, inputs))).Message;
}
