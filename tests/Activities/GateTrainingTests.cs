using System.Text.Json;
using Pipelines.Activities.Finetuning;
using Pipelines.Activities.Gates;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Tests.Torch;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>The stages that train gates: what they cut, and that they go on from any step.</summary>
public sealed class GateTrainingTests : IDisposable
{
    private readonly StageFolder stages = new();

    public void Dispose() => stages.Dispose();

    public static TheoryData<string, GateKind> Tuned() =>
    [
        .. TinyArchitectures.Names.Select(name => (name, GateKind.Gumbel)), ("llama", GateKind.ReinMax), ("opt", GateKind.HardConcrete),
    ];

    [Theory]
    [MemberData(nameof(Tuned))]
    public void Tuned_and_pruned_it_computes_what_it_was_trained_as(string architecture, GateKind gate)
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create(architecture);
        var cancellation = TestContext.Current.CancellationToken;
        using var generator = new Generator(2);
        var tokens = randint(0, 32, [24, 8], dtype: ScalarType.Int64, generator: generator);
        using var training = new AtpTraining(
            model, tokens, 8, new(Ratio: 0.4, Steps: 40, Batch: 2, Rank: 2, LearningRate: 1e-2, ChoiceRate: 1e-2, Gate: gate));
        training.Run(StageFolder.Unkept, cancellation);
        var decision = training.Decide("model", "tune.atp");
        using var ungraded = no_grad();
        using var gates = new UnitGates(model);
        var open = decision.Sites.Select(site => site.Units.ToArray()).ToArray();
        var expected = model.Forward(TinyArchitectures.Prompt(), gates.Hook(gates.Values(open, CPU)));
        var size = gates.Size(gates.Values(open, CPU)).ToInt64();

        Adapters.Merge(model);
        decision.Apply(model, null, StageFolder.Unkept, cancellation);

        Assert.Equal(size, model.Linears().Sum(linear => linear.Weight.numel()));
        Assert.InRange((double)size / gates.FullSize, 0.4, 0.6);
        Assert.InRange((model.Forward(TinyArchitectures.Prompt()) - expected).abs().max().ToDouble(), 0, 2e-5);
    }

    [Fact]
    public void The_penalty_is_the_norm_of_what_adapters_do_to_units_that_are_closed()
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create("opt");
        Adapters.Attach(model, rank: 2, alpha: 2, seed: 0, masked: false);
        var sites = model.Sites(1).ToArray();
        using var lasso = new GroupLasso(sites);
        var mlp = model.Blocks[1].Mlp!;
        using (no_grad())
        {
            mlp.Up.Adapter!.B[7].copy_(tensor(new[] { 3f, 4f }));
            mlp.Down.Adapter!.A.zero_();
            mlp.Down.Adapter.A.narrow(1, 7, 1).fill_(1);
            foreach (var linear in model.Blocks[1].Attention!.Linears)
                linear.Adapter!.A.zero_();
        }

        var neurons = ones(24);
        neurons[7] = 0.25;
        neurons.requires_grad_();
        var found = lasso.Of([ones(4), neurons]);
        found.backward();

        // Row 7 of B has the norm 5, column 7 of A the norm √2.
        Near.Equal(0.75 * (5 + Math.Sqrt(2)), found, 1e-5);
        Near.Equal(-(5 + Math.Sqrt(2)), neurons.grad![7], 1e-5);
        Near.Equal(0.75 * 0.6, mlp.Up.Adapter!.B.grad![7, 0], 1e-6);
        Assert.True(mlp.Up.Adapter.B.grad!.isfinite().all().ToBoolean());
    }

    [Theory]
    [InlineData("prune.displlm")]
    [InlineData("tune.atp")]
    public async Task Gates_that_died_at_any_step_end_with_the_bits_of_those_that_did_not(string kind)
    {
        const int steps = 8;
        var (model, data) = (await ModelAsync(), await DataAsync());
        stages.Checkpoints = new KeptCheckpoints(Path.Combine(stages.Folder, "whole"));
        var undisturbed = await TrainAsync();

        for (var dies = 1; dies < steps; dies++)
        {
            var kept = Path.Combine(stages.Folder, $"dies-{dies}");
            stages.Checkpoints = new KeptCheckpoints(kept, dies);
            await Assert.ThrowsAsync<KeptCheckpoints.Died>(TrainAsync);
            stages.Checkpoints = new KeptCheckpoints(kept);

            Assert.Equal(undisturbed.GetRawText(), (await TrainAsync()).GetRawText());
        }

        Task<JsonElement> TrainAsync() => stages.RunAsync(kind, new { ratio = 0.4, steps, batch = 2 }, ("model", model), ("data", data));
    }

    [Theory]
    [InlineData("prune.displlm")]
    [InlineData("tune.atp")]
    public async Task What_they_cut_is_exported_and_its_decision_cuts_the_same_again(string kind)
    {
        var (model, data) = (await ModelAsync(), await DataAsync());

        var pruned = await stages.RunAsync(kind, new { ratio = 0.4, steps = 4, batch = 2 }, ("model", model), ("data", data));
        using var dense = CausalFolder.Load(await stages.OpenAsync(model), CPU);
        var full = dense.Linears().Sum(linear => linear.Weight.numel());
        var exported = await stages.RunAsync("export.huggingface", new { }, ("model", pruned.GetProperty("model")));
        var again = await stages.RunAsync("prune.apply", new { }, ("model", model), ("decision", pruned.GetProperty("decision")));

        Assert.InRange(pruned.GetProperty("kept").GetDouble(), 0.5, 0.6);
        Assert.Equal(pruned.GetProperty("kept").GetDouble(), again.GetProperty("kept").GetDouble());
        using var reopened = CausalFolder.Load(await stages.OpenAsync(exported.GetProperty("export")), CPU);
        Assert.Equal(pruned.GetProperty("kept").GetDouble(), reopened.Linears().Sum(linear => linear.Weight.numel()) / (double)full);
        if (kind != "prune.displlm")
            return;
        Assert.True(exported.GetProperty("export").GetProperty("manifest").GetBoolean());
        Assert.Equal(pruned.GetProperty("model").GetRawText(), again.GetProperty("model").GetRawText());
    }

    [Theory]
    [InlineData("prune.displlm")]
    [InlineData("tune.atp")]
    public async Task A_model_with_adapters_is_refused(string kind)
    {
        var data = await DataAsync();
        var tuned = await stages.RunAsync(
            "finetune.lora", new { steps = 1, batch = 2, rank = 2, adapters = "kept" }, ("model", await ModelAsync()), ("data", data));

        var error = await Assert.ThrowsAsync<StageException>(
            () => stages.RunAsync(kind, new { steps = 2 }, ("model", tuned.GetProperty("model")), ("data", data)));

        Assert.Contains("adapters", error.Message);
    }

    private async Task<JsonElement> ModelAsync()
    {
        var folder = TinyModel.Save(Path.Combine(stages.Folder, "tiny"), 3);
        return (await stages.RunAsync("model.load", new { path = folder })).GetProperty("model");
    }

    private async Task<JsonElement> DataAsync()
    {
        var path = Path.Combine(stages.Folder, "text.txt");
        await File.WriteAllTextAsync(path, TinyModel.Text, TestContext.Current.CancellationToken);
        return (await stages.RunAsync("data.text", new { path, length = 16, sequences = 8 })).GetProperty("data");
    }
}
