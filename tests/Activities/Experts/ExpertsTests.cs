using Pipelines.Activities.Experts;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Experts;

/// <summary>ToMoE's gates, budget and the models that come of them.</summary>
public sealed class ExpertsTests
{
    public static TheoryData<string> All => [.. TinyArchitectures.Names];

    [Theory]
    [InlineData(new[] { 10, 30 }, new[] { 40, 40 }, 20, new[] { 5, 15 })]
    [InlineData(new[] { 10, 30 }, new[] { 40, 40 }, 60, new[] { 20, 40 })]
    [InlineData(new[] { 1, 1, 1 }, new[] { 8, 8, 8 }, 7, new[] { 3, 2, 2 })]
    [InlineData(new[] { 1, 30 }, new[] { 40, 40 }, 1, new[] { 1, 1 })]
    public void Widths_meet_their_budget_exactly(int[] wanted, int[] limits, int budget, int[] expected) =>
        Assert.Equal(expected, ExpertWidths.Scale(wanted, limits, budget));

    [Theory]
    [MemberData(nameof(All))]
    public void A_divided_model_meets_the_budget_and_routes_every_token(string name)
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create(name);
        using var gates = new ExpertGates(model, experts: 3, seed: 1, name == "phi" ? ExpertDecoder.Shared : ExpertDecoder.Own);
        using var ungraded = no_grad();

        ToMoePrune.Divide(model, gates, active: 0.5);

        Assert.Equal(3 * 12, model.Blocks.Sum(block => block.Mlp!.Experts!.Width));
        Assert.All(model.Blocks, block => Assert.InRange(block.Mlp!.Experts!.Members.max().ToInt64(), 0, block.Mlp.IntermediateSize - 1));
        Assert.True(model.Forward(TinyArchitectures.Prompt()).isfinite().all().ToBoolean());
    }

    /// <summary>Routers [3, 16] of three MLPs, and the GRU's 8 tensors with the norm's 2; then a linear [24, 128] for each expert or MLP.</summary>
    [Theory]
    [InlineData(ExpertDecoder.Own, 9)]
    [InlineData(ExpertDecoder.Shared, 3)]
    public void Experts_share_a_decoder_or_have_their_own_and_differ_either_way(ExpertDecoder decoder, int linears)
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create("llama");
        using var gates = new ExpertGates(model, experts: 3, seed: 1, decoder);

        Assert.Equal(linears, gates.Trained.Count(tensor => tensor.shape is [24, 128]));
        Assert.Equal(3 + 10 + linears, gates.Trained.Count);
        foreach (var experts in gates.Freeze(0.5))
        {
            Assert.Equal([12, 12, 12], experts.Select(expert => expert.Length));
            Assert.NotEqual(experts[0], experts[1]);
            Assert.NotEqual(experts[1], experts[2]);
        }
    }

    [Theory]
    [InlineData(ExpertDecoder.Own)]
    [InlineData(ExpertDecoder.Shared)]
    public void A_draw_follows_from_its_seed_and_reaches_router_and_division(ExpertDecoder decoder)
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create("llama");
        using var gates = new ExpertGates(model, experts: 3, seed: 1, decoder);
        var parameters = new ToMoePrune.Parameters(Experts: 3);

        var first = ToMoePrune.Loss(model, gates, TinyArchitectures.Prompt(), parameters, step: 5);
        var again = ToMoePrune.Loss(model, gates, TinyArchitectures.Prompt(), parameters, step: 5);
        var other = ToMoePrune.Loss(model, gates, TinyArchitectures.Prompt(), parameters, step: 6);
        foreach (var tensor in gates.Trained)
            tensor.requires_grad_();
        ToMoePrune.Loss(model, gates, TinyArchitectures.Prompt(), parameters, step: 5).backward();

        Assert.Equal(first.ToDouble(), again.ToDouble());
        Assert.NotEqual(first.ToDouble(), other.ToDouble());
        Assert.All(gates.Trained, tensor => Assert.NotNull(tensor.grad));
        Assert.All(gates.Trained.Take(3), router => Assert.True(router.grad!.abs().sum().ToDouble() > 0));
    }
}
