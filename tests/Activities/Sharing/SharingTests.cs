using Pipelines.Activities.Sharing;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Sharing;

/// <summary>FlexiGPT's choice, difference and gains, and the models that come of them.</summary>
public sealed class SharingTests
{
    public static TheoryData<string> All => [.. TinyArchitectures.Names];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_low_rank_part_is_the_nearest_of_its_rank()
    {
        using var scope = NewDisposeScope();
        var difference = diag(tensor(new double[] { 5, 0, 3, 1 }));

        var (b, a) = SharedBlock.LowRank(difference, 2);

        Assert.Equal([4, 2], b.shape);
        Assert.Equal([2, 4], a.shape);
        Assert.InRange((b.matmul(a) - diag(tensor(new double[] { 5, 0, 3, 0 }))).abs().max().ToDouble(), 0, 1e-12);
    }

    [Fact]
    public void The_block_whose_weights_are_nearest_is_used()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create("llama");
        foreach (var (near, own) in model.Blocks[2].Linears.Zip(model.Blocks[0].Linears))
            near.SetWeight(own.Weight * 1.01);

        Assert.Equal(2, SharedChoice.Nearest(model, 0, [1, 2], rank: 2));
        Assert.Equal(0, SharedChoice.Nearest(model, 2, [0, 1], rank: 2));

        // Where the rank holds every difference all are equal: the nearest in place is taken, of two the lower.
        Assert.Equal(0, SharedChoice.Nearest(model, 1, [0, 2], rank: 16));
    }

    [Fact]
    public void Gains_are_those_of_least_squares()
    {
        using var scope = NewDisposeScope();
        using var gain = new OutputGain(2);
        gain.Add(tensor(new float[] { 1, 2, 3, 0 }).view(1, 2, 2), tensor(new float[] { 2, 1, 4, 7 }).view(1, 2, 2));

        // (1·2 + 3·4) / (1 + 9) and (2·1 + 0·7) / 4.
        Assert.Equal([1.4, 0.5], gain.Fit().data<double>().ToArray());
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Fitted_gains_bring_the_model_nearer_to_the_dense_one_than_leaving_the_block_out(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var dense = TinyArchitectures.Create(name);
        using var without = TinyArchitectures.Create(name);
        using var shared = TinyArchitectures.Create(name);
        var tokens = arange(8 * 12, dtype: ScalarType.Int64).mul(7).remainder(32).view(8, 12);
        without.RemoveBlocks([1]);

        FlexiGptPrune.Replace(shared, [1], new FlexiGptPrune.Parameters(Rank: 4), StageFolder.Unkept, Cancellation);
        FlexiGptPrune.FitGains(dense, shared, tokens, (_, _, _, _) => { }, Cancellation);

        Assert.True(Distance(shared) < Distance(without), $"{Distance(shared)} against {Distance(without)}");
        Assert.True(shared.ParameterCount() < dense.ParameterCount());

        double Distance(CausalLM model) => (model.Hidden(tokens) - dense.Hidden(tokens)).norm().ToDouble();
    }

    [Theory]
    [InlineData(RepeatOrder.Block, new[] { 0, 1, 1, 2, 2 })]
    [InlineData(RepeatOrder.Sequential, new[] { 0, 1, 2, 1, 2 })]
    public void A_model_becomes_deeper_by_blocks_that_change_nothing_at_first(RepeatOrder order, int[] blocks)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create("llama");
        var before = model.Forward(TinyArchitectures.Prompt());
        var owners = model.Blocks.Select(block => block.Attention!.Query).ToArray();

        ExtendModel.Extend(model, new ExtendModel.Parameters(5, order, Rank: 2, Gain: 0));

        Assert.Equal(blocks, model.Blocks.Select(block => Array.IndexOf(owners, block.Attention!.Query.Shared ?? block.Attention.Query)));
        Assert.InRange((model.Forward(TinyArchitectures.Prompt()) - before).abs().max().ToDouble(), 0, 1e-6);
        Assert.Equal("model.layers.3.self_attn.q_proj", model.Blocks[3].Attention!.Query.Name);
        Assert.Throws<StageException>(() => ExtendModel.Extend(model, new ExtendModel.Parameters(5)));
    }
}
