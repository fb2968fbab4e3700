using System.Text.Json;
using System.Text.Json.Nodes;
using Pipelines.Activities.Finetuning;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>What recoveries change of a pruned model, what they leave, and that they go on where they were stopped.</summary>
public sealed class RecoveryTests : IDisposable
{
    private readonly StageFolder stages = new();

    public static TheoryData<string> Architectures => [.. TinyArchitectures.Names];

    public void Dispose() => stages.Dispose();

    [Theory]
    [InlineData("finetune.full", """{"weightDecay":0.1}""")]
    [InlineData("finetune.distill", """{"rank":2,"hidden":0.5,"text":0.5}""")]
    [InlineData("finetune.distill", """{"train":"full"}""")]
    [InlineData("finetune.perp", """{"maskLora":true,"head":true,"rank":2}""")]
    [InlineData("prune.magnitude.gradual", """{"interval":2,"initial":0.1}""")]
    [InlineData("prune.loraprune", """{"interval":1,"rank":2,"keepLast":0}""")]
    public async Task Training_that_died_at_any_step_ends_with_the_bits_of_one_that_did_not(string kind, string parameters)
    {
        const int steps = 5;
        var (model, data, teacher) = (await PrunedAsync(), await stages.DataAsync(), await stages.ModelAsync());
        var whole = Path.Combine(stages.Folder, "whole");
        stages.Checkpoints = new KeptCheckpoints(whole);
        var undisturbed = await TrainAsync();

        for (var dies = 1; dies < steps; dies++)
        {
            var kept = Path.Combine(stages.Folder, $"dies-{dies}");
            stages.Checkpoints = new KeptCheckpoints(kept, dies);
            await Assert.ThrowsAsync<KeptCheckpoints.Died>(TrainAsync);
            stages.Checkpoints = new KeptCheckpoints(kept);

            Assert.Equal(undisturbed.GetRawText(), (await TrainAsync()).GetRawText());

            foreach (var file in Directory.EnumerateFiles(Path.Combine(whole, $"{steps:d6}")))
                Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(kept, $"{steps:d6}", Path.GetFileName(file))));
        }

        Task<JsonElement> TrainAsync()
        {
            var given = JsonNode.Parse(parameters)!.AsObject();
            (given["steps"], given["batch"]) = (steps, 3);
            return stages.RunAsync(kind, given, ("model", model), ("data", data), ("teacher", teacher));
        }
    }

    [Theory]
    [InlineData("finetune.full", """{"learningRate":0.01,"weightDecay":0.1}""")]
    [InlineData("finetune.distill", """{"train":"full","learningRate":0.01}""")]
    [InlineData("finetune.distill", """{"rank":2}""")]
    [InlineData("finetune.perp", """{"maskLora":true,"rank":2}""")]
    public async Task Zeroed_weights_stay_zero_and_the_others_move(string kind, string parameters)
    {
        var (pruned, data, teacher) = (await PrunedAsync(), await stages.DataAsync(), await stages.ModelAsync());
        var given = JsonNode.Parse(parameters)!.AsObject();
        (given["steps"], given["batch"]) = (4, 2);

        var tuned = await stages.RunAsync(kind, given, ("model", pruned), ("data", data), ("teacher", teacher));

        using var before = await stages.LoadAsync(pruned);
        using var after = await stages.LoadAsync(tuned.GetProperty("model"));
        foreach (var (old, now) in before.Linears().Zip(after.Linears()))
        {
            using var scope = NewDisposeScope();
            Assert.True(now.Weight.eq(0).Equals(old.Weight.eq(0)), old.Name);
            Assert.False(now.Weight.Equals(old.Weight), old.Name);
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public async Task Perp_trains_what_was_chosen_and_nothing_else(string architecture)
    {
        var model = await stages.ModelAsync(architecture: architecture);

        var tuned = await stages.RunAsync(
            "finetune.perp", new { steps = 3, batch = 2, biases = false }, ("model", model), ("data", await stages.DataAsync()));

        using var before = await stages.LoadAsync(model);
        using var after = await stages.LoadAsync(tuned.GetProperty("model"));
        foreach (var ((name, old), (_, now)) in before.NamedParameters().Zip(after.NamedParameters()))
            Assert.True(name.Contains("norm", StringComparison.Ordinal) != now.Equals(old), name);
    }

    [Fact]
    public async Task A_recovery_that_trains_nothing_says_so()
    {
        var (model, data) = (await stages.ModelAsync(), await stages.DataAsync());

        // A Llama has no biases.
        var error = await Assert.ThrowsAsync<StageException>(() =>
            stages.RunAsync("finetune.perp", new { norms = false }, ("model", model), ("data", data)));

        Assert.Contains("nothing of this model is trained", error.Message);
    }

    [Fact]
    public async Task The_blocks_alone_can_be_trained()
    {
        var (model, data) = (await stages.ModelAsync(), await stages.DataAsync());

        var tuned = await stages.RunAsync("finetune.full", new { part = "blocks", steps = 2, batch = 2 }, ("model", model), ("data", data));

        using var before = await stages.LoadAsync(model);
        using var after = await stages.LoadAsync(tuned.GetProperty("model"));
        foreach (var ((name, old), (_, now)) in before.NamedParameters().Zip(after.NamedParameters()))
            Assert.True(name.StartsWith("model.layers.", StringComparison.Ordinal) != now.Equals(old), name);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public async Task Adapters_are_trained_kept_and_read_again_on_every_architecture(string architecture)
    {
        var (model, data) = (await stages.ModelAsync(architecture: architecture), await stages.DataAsync());

        var tuned = (await stages.RunAsync(
            "finetune.lora", new { steps = 3, batch = 2, rank = 2, adapters = "kept" }, ("model", model), ("data", data))).GetProperty("model");

        var folder = await stages.OpenAsync(tuned);
        var modules = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "adapter_config.json")))!["target_modules"]!.AsArray();
        using var loaded = await stages.LoadAsync(model);
        Assert.Equal(loaded.Blocks[0].Linears.Select(linear => linear.Name.Split('.')[^1]), modules.Select(module => module!.GetValue<string>()));
        Assert.NotEqual(await PerplexityAsync(model, data), await PerplexityAsync(tuned, data));
    }

    [Fact]
    public async Task A_student_that_is_its_teacher_has_nothing_to_learn()
    {
        var (model, data) = (await stages.ModelAsync(), await stages.DataAsync());

        var tuned = await stages.RunAsync(
            "finetune.distill", new { steps = 1, batch = 2, hidden = 1 }, ("model", model), ("data", data), ("teacher", model));

        Assert.InRange(tuned.GetProperty("loss").GetDouble(), -1e-6, 1e-6);
    }

    [Fact]
    public async Task A_student_comes_nearer_to_its_teacher()
    {
        var (pruned, data, teacher) = (await PrunedAsync(), await stages.DataAsync(), await stages.ModelAsync());

        var first = await LossAsync(1);
        var last = await LossAsync(60);

        Assert.True(last < 0.8 * first, $"{first} became {last}");

        async Task<double> LossAsync(int steps) => (await stages.RunAsync(
            "finetune.distill", new { steps, batch = 8, train = "full", learningRate = 3e-3 },
            ("model", pruned), ("data", data), ("teacher", teacher))).GetProperty("loss").GetDouble();
    }

    [Fact]
    public void Distillation_weighs_what_it_says()
    {
        using var scope = NewDisposeScope();
        var student = zeros(1, 2, 2);
        var teacher = tensor(new[] { Math.Log(3), 0, Math.Log(3), 0 }).to(ScalarType.Float32).view(1, 2, 2);

        // KL((3/4, 1/4) ‖ (1/2, 1/2)) = 3/4 ln 3/2 + 1/4 ln 1/2, at both positions.
        Assert.Equal(0.130812, DistillationLoss.Logits(student, teacher, 1).ToDouble(), 5);

        // At temperature 2 the teacher says √3 : 1, and the loss counts fourfold.
        var p = Math.Sqrt(3) / (1 + Math.Sqrt(3));
        Assert.Equal(4 * (p * Math.Log(2 * p) + (1 - p) * Math.Log(2 * (1 - p))), DistillationLoss.Logits(student, teacher, 2).ToDouble(), 5);

        // Blocks 1 and 3 of four: errors of 1 of 4 and of 0 of 9.
        Tensor[] states = [full(1, 1, 1, 3f), full(1, 1, 1, 5f), full(1, 1, 1, 7f), full(1, 1, 1, 9f)];
        Assert.Equal(1.0 / 25 / 2, DistillationLoss.Hidden([full(1, 1, 1, 4f), full(1, 1, 1, 9f)], states).ToDouble(), 6);
        Assert.Equal([0, 1, 3], Enumerable.Range(0, 3).Select(block => DistillationLoss.TeacherBlock(block, 3, 4)));
    }

    private async Task<JsonElement> PrunedAsync() => (await stages.RunAsync(
        "prune.magnitude", new { sparsity = 0.5 }, ("model", await stages.ModelAsync()))).GetProperty("model");

    private async Task<double> PerplexityAsync(JsonElement model, JsonElement data) =>
        (await stages.RunAsync("evaluate.perplexity", new { }, ("model", model), ("data", data)))
            .GetProperty("measurement").GetProperty("perplexity").GetDouble();
}
