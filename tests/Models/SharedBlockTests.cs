using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models;

/// <summary>Blocks with the weights of others, and MLPs divided into experts.</summary>
public sealed class SharedBlockTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-shared-").FullName;

    public static TheoryData<string> All => [.. TinyArchitectures.Names];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(All))]
    public void A_whole_difference_makes_a_shared_block_the_block_that_it_replaces(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(name);
        var positions = model.Positions(8);
        var hidden = randn(1, 8, 16);
        var attention = Attended(model.Blocks[1]);

        using var shared = SharedBlock.Create(model, 1, 0, rank: 16, gamma: 1);

        // With the output norms out of the way: the linears themselves do what those of the block did.
        Assert.InRange((Attended(shared) - attention).abs().max().ToDouble(), 0, 1e-4);

        Tensor Attended(DecoderBlock block) => block.Attention!.Forward(hidden, positions, null);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Shared_weights_are_stored_once_and_come_back(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(name);
        var before = model.ParameterCount();
        model.ReplaceBlock(1, SharedBlock.Create(model, 1, 2, rank: 1, gamma: 0.5));

        Assert.True(CausalFolder.Save(model, folder));

        using var loaded = CausalFolder.Load(folder, CPU);
        Assert.True(model.ParameterCount() < before);
        Assert.Equal(model.ParameterCount(), loaded.ParameterCount());
        Assert.Same(loaded.Blocks[2].Attention!.Query.Weight, loaded.Blocks[1].Attention!.Query.Weight);
        Assert.True(model.Forward(TinyArchitectures.Prompt()).Equals(loaded.Forward(TinyArchitectures.Prompt())));
        using var source = CausalSource.Open(folder, CPU);
        using var alone = source.LoadBlock(1);
        var hidden = randn(1, 8, 16);
        Assert.True(alone.Forward(hidden, model.Positions(8)).Equals(model.Blocks[1].Forward(hidden, model.Positions(8))));
    }

    [Fact]
    public void A_block_whose_weights_others_use_stays_and_is_not_cut()
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create("llama");
        model.ReplaceBlock(1, SharedBlock.Create(model, 1, 2, rank: 1, gamma: 0.5));

        Assert.Contains("others use its weights", Assert.Throws<ModelException>(() => model.RemoveBlocks([2])).Message, StringComparison.Ordinal);
        Assert.Contains("has the weights of another", Assert.Throws<ModelException>(() => model.Sites().ToArray()).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => model.Blocks[1].Linears[0].SetWeight(zeros(1)));
    }

    [Fact]
    public void Blocks_that_cannot_all_go_stay_as_they_are()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create("llama");
        model.ReplaceBlock(0, SharedBlock.Create(model, 0, 1, rank: 1, gamma: 0.5));
        var before = model.Forward(TinyArchitectures.Prompt());

        Assert.Throws<ModelException>(() => model.RemoveBlocks([1, 2]));

        Assert.True(before.Equals(model.Forward(TinyArchitectures.Prompt())));
    }

    [Fact]
    public void A_block_goes_together_with_those_that_use_its_weights()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create("llama");
        using var expected = TinyArchitectures.Create("llama");
        model.ReplaceBlock(1, SharedBlock.Create(model, 1, 2, rank: 1, gamma: 0.5));

        model.RemoveBlocks([2, 1]);

        expected.RemoveBlocks([1, 2]);
        Assert.True(expected.Forward(TinyArchitectures.Prompt()).Equals(model.Forward(TinyArchitectures.Prompt())));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Routed_tokens_give_what_masked_neurons_give(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(name);
        var dense = ModelFlops.PerToken(model, 8);
        foreach (var (index, block) in model.Blocks.Index())
            block.Mlp!.SetExperts(Divided(model.Config.Names.Layer(index)));

        var routed = model.Forward(TinyArchitectures.Prompt());

        var masked = model.Forward(TinyArchitectures.Prompt(), new InputHook((_, _) => { }));
        Assert.InRange((routed - masked).abs().max().ToDouble(), 0, 1e-5);
        Assert.True(ModelFlops.PerToken(model, 8) < dense);
        Assert.True(CausalFolder.Save(model, folder));
        using var loaded = CausalFolder.Load(folder, CPU);
        Assert.True(routed.Equals(loaded.Forward(TinyArchitectures.Prompt())));
    }

    [Fact]
    public void One_expert_of_all_neurons_is_the_dense_mlp()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create("llama");
        var dense = model.Forward(TinyArchitectures.Prompt());
        foreach (var block in model.Blocks)
        {
            block.Mlp!.SetExperts(new Experts(
                new Linear("router", zeros(1, 16).DetachFromDisposeScope(), null),
                arange(24, dtype: ScalarType.Int64).view(1, 24).DetachFromDisposeScope()));
        }

        Assert.InRange((model.Forward(TinyArchitectures.Prompt()) - dense).abs().max().ToDouble(), 0, 1e-6);
    }

    /// <summary>Three experts of ten of the 24 neurons, overlapping.</summary>
    private static Experts Divided(string block)
    {
        var members = Enumerable.Range(0, 3).SelectMany(expert => Enumerable.Range(0, 10).Select(i => (expert * 7L + i) % 24).Order()).ToArray();
        return new Experts(
            new Linear($"{block}.mlp.router", randn(3, 16).DetachFromDisposeScope(), null),
            tensor(members).view(3, 10).DetachFromDisposeScope());
    }
}
