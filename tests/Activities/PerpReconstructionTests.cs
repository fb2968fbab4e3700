using System.Text.Json;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>PERP's other mode: a sparse block learns to make what the dense one makes of the same input.</summary>
public sealed class PerpReconstructionTests : IDisposable
{
    private readonly StageFolder stages = new();

    public static TheoryData<string> Architectures => [.. TinyArchitectures.Names];

    public void Dispose() => stages.Dispose();

    [Theory]
    [MemberData(nameof(Architectures))]
    public async Task What_is_dense_already_stays_as_it_is(string architecture)
    {
        var model = await stages.ModelAsync(architecture: architecture);

        var made = await RunAsync(model, model, new { objective = "reconstruct", steps = 2, batch = 2, maskLora = true, rank = 2 });

        Assert.Equal(0, made.GetProperty("loss").GetDouble());
        using var before = await stages.LoadAsync(model);
        using var after = await stages.LoadAsync(made.GetProperty("model"));
        foreach (var ((name, old), (_, now)) in before.NamedParameters().Zip(after.NamedParameters()))
            Assert.True(now.Equals(old), name);
    }

    /// <summary>The outputs' biases were moved by 0.5, and nothing else: the biases can make that good, to nothing.</summary>
    [Fact]
    public async Task Biases_that_were_moved_are_found_again()
    {
        var dense = await stages.ModelAsync(architecture: "opt");
        using var moved = await stages.LoadAsync(dense);
        var folder = Path.Combine(stages.Folder, "moved");
        Directory.CreateDirectory(folder);
        foreach (var block in moved.Blocks)
            block.Mlp!.Down.SetBias(block.Mlp.Down.Bias! + 0.5);
        CausalFolder.Save(moved, folder);
        foreach (var file in Directory.EnumerateFiles(await stages.OpenAsync(dense), "tokenizer*"))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        var pruned = (await stages.RunAsync("model.load", new { path = folder })).GetProperty("model");

        var before = await RunAsync(pruned, dense, new { objective = "reconstruct", steps = 1, batch = 2, norms = false, learningRate = 1e-7 });
        var after = await RunAsync(pruned, dense, new { objective = "reconstruct", steps = 150, batch = 4, norms = false, learningRate = 0.02 });

        Assert.InRange(after.GetProperty("loss").GetDouble() / before.GetProperty("loss").GetDouble(), 0, 0.01);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public async Task Zeroed_weights_stay_zero_and_the_error_falls(string architecture)
    {
        var dense = await stages.ModelAsync(architecture: architecture);
        var pruned = await PrunedAsync(dense);

        var first = await RunAsync(pruned, dense, new { objective = "reconstruct", steps = 1, batch = 2, learningRate = 1e-7 });
        var made = await RunAsync(pruned, dense, new { objective = "reconstruct", steps = 300, batch = 4, maskLora = true, rank = 4, learningRate = 2e-3 });

        Assert.InRange(made.GetProperty("loss").GetDouble() / first.GetProperty("loss").GetDouble(), 0, 0.5);
        using var before = await stages.LoadAsync(pruned);
        using var after = await stages.LoadAsync(made.GetProperty("model"));
        using var scope = NewDisposeScope();
        foreach (var (old, now) in before.Linears().Zip(after.Linears()))
        {
            Assert.True(now.Weight.eq(0).Equals(old.Weight.eq(0)), old.Name);
            Assert.False(now.Weight.Equals(old.Weight), old.Name);
        }

        Assert.True(before.Embedding.Equals(after.Embedding));
        Assert.True(before.Norm.Weight.Equals(after.Norm.Weight));
    }

    [Fact]
    public async Task A_block_that_training_would_make_worse_stays_as_it_is()
    {
        var dense = await stages.ModelAsync(architecture: "opt");
        var pruned = await PrunedAsync(dense);

        var made = await RunAsync(pruned, dense, new { objective = "reconstruct", steps = 5, batch = 2, learningRate = 1.0 });

        using var before = await stages.LoadAsync(pruned);
        using var after = await stages.LoadAsync(made.GetProperty("model"));
        foreach (var ((name, old), (_, now)) in before.NamedParameters().Zip(after.NamedParameters()))
            Assert.True(now.Equals(old), name);
    }

    [Fact]
    public async Task One_that_died_behind_any_block_ends_with_the_bits_of_one_that_did_not()
    {
        var dense = await stages.ModelAsync(architecture: "opt");
        var pruned = await PrunedAsync(dense);
        var whole = await TrainAsync();
        var blocks = (await stages.LoadAsync(pruned)).Blocks.Count;
        Assert.True(blocks > 1);

        for (var dies = 1; dies <= blocks; dies++)
        {
            var kept = Path.Combine(stages.Folder, $"dies-{dies}");
            stages.Checkpoints = new KeptCheckpoints(kept, dies);
            await Assert.ThrowsAsync<KeptCheckpoints.Died>(TrainAsync);
            stages.Checkpoints = new KeptCheckpoints(kept);

            Assert.Equal(whole.GetRawText(), (await TrainAsync()).GetRawText());
        }

        Task<JsonElement> TrainAsync() =>
            RunAsync(pruned, dense, new { objective = "reconstruct", steps = 3, batch = 3, maskLora = true, rank = 2 });
    }

    [Fact]
    public async Task It_says_what_it_cannot_reconstruct()
    {
        var (dense, data) = (await stages.ModelAsync(), await stages.DataAsync());
        var shorter = await stages.ModelAsync(architecture: "opt");

        Assert.Contains("takes 'dense' to reconstruct", await SaidAsync(() =>
            stages.RunAsync("finetune.perp", new { objective = "reconstruct" }, ("model", dense), ("data", data))));
        Assert.Contains("takes 'dense' to reconstruct", await SaidAsync(() => RunAsync(dense, dense, new { })));
        Assert.Contains("the head is behind the blocks", await SaidAsync(() => RunAsync(dense, dense, new { objective = "reconstruct", head = true })));
        Assert.Contains("the one that it was", await SaidAsync(() => RunAsync(shorter, dense, new { objective = "reconstruct" })));
        Assert.Contains("nothing of this model's blocks", await SaidAsync(() => RunAsync(dense, dense, new { objective = "reconstruct", norms = false })));

        static async Task<string> SaidAsync(Func<Task> run) => (await Assert.ThrowsAsync<StageException>(run)).Message;
    }

    private async Task<JsonElement> RunAsync(JsonElement model, JsonElement dense, object parameters) => await stages.RunAsync(
        "finetune.perp", parameters, ("model", model), ("data", await stages.DataAsync()), ("dense", dense));

    private async Task<JsonElement> PrunedAsync(JsonElement dense) =>
        (await stages.RunAsync("prune.magnitude", new { sparsity = 0.6 }, ("model", dense))).GetProperty("model");
}
