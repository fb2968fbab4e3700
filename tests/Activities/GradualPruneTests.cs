using Pipelines.Activities.Deciding;
using Pipelines.Activities.Gates;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>Methods that prune while they train.</summary>
public sealed class GradualPruneTests : IDisposable
{
    private readonly StageFolder stages = new();

    public static TheoryData<string> Architectures => [.. TinyArchitectures.Names];

    public void Dispose() => stages.Dispose();

    [Theory]
    [InlineData("perLayer", "llama")]
    [InlineData("global", "llama")]
    [InlineData("perLayer", "opt")]
    public async Task Gradual_pruning_ends_at_its_sparsity_and_what_was_zero_stays_zero(string scope, string architecture)
    {
        var (model, data) = (await stages.ModelAsync(architecture: architecture), await stages.DataAsync());
        var pruned = (await stages.RunAsync("prune.magnitude", new { sparsity = 0.25, cut = "exact" }, ("model", model))).GetProperty("model");

        var made = await stages.RunAsync(
            "prune.magnitude.gradual", new { sparsity = 0.75, scope, interval = 2, steps = 12, batch = 2, learningRate = 1e-2 },
            ("model", pruned), ("data", data));

        Assert.Equal(0.75, made.GetProperty("sparsity").GetDouble(), 6);
        using var before = await stages.LoadAsync(pruned);
        using var after = await stages.LoadAsync(made.GetProperty("model"));
        foreach (var (old, now) in before.Linears().Zip(after.Linears()))
            Assert.True(now.Weight.masked_select(old.Weight.eq(0)).eq(0).all().ToBoolean(), old.Name);
    }

    [Fact]
    public async Task Loraprune_s_decision_gives_the_shapes_that_it_made()
    {
        var (model, data) = (await stages.ModelAsync(), await stages.DataAsync());

        var made = await stages.RunAsync(
            "prune.loraprune", new { ratio = 0.5, steps = 8, interval = 2, batch = 2, rank = 2 }, ("model", model), ("data", data));

        using var pruned = await stages.LoadAsync(made.GetProperty("model"));
        Assert.Equal([12, 24], pruned.Blocks.Select(block => block.Mlp!.IntermediateSize));
        Assert.Equal([1, 2], pruned.Blocks.Select(block => block.Attention!.KeyValueHeads));
        var applied = await stages.RunAsync("prune.apply", new { }, ("model", model), ("decision", made.GetProperty("decision")));
        Assert.Equal(applied.GetProperty("kept").GetDouble(), made.GetProperty("kept").GetDouble());
        Assert.Equal(0.75, made.GetProperty("kept").GetDouble());
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_silenced_unit_is_as_good_as_cut(string architecture)
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create(architecture, ScalarType.Float64);
        using var masks = new LoraPruneMasks(model.Sites(), new SparsitySchedule(0, 0.5, Steps: 1), 1);
        masks.AfterUpdate(0, null!);
        var open = masks.Open();
        using var ungraded = no_grad();
        var silenced = model.Forward(TinyArchitectures.Prompt(), masks.Hook);

        new PruningDecision("m", "prune.loraprune", [.. open.Select(one => KeptUnits.From(one.Site, one.Units))])
            .Apply(model, null, StageFolder.Unkept, TestContext.Current.CancellationToken);

        Assert.Equal([12, 12, 12], model.Blocks.Select(block => block.Mlp!.IntermediateSize));
        Assert.InRange((model.Forward(TinyArchitectures.Prompt()) - silenced).abs().max().ToDouble(), 0, 1e-12);
    }

    [Fact]
    public void Adapters_gradients_stand_for_those_of_the_weight()
    {
        // y = x (W + 2 B A)ᵀ with x = (1 1), A = (1 2), B = (3).
        using var scope = NewDisposeScope();
        using var linear = new Linear("l", tensor(new float[] { 1, -1 }).view(1, 2), null);
        var (a, b) = (tensor(new float[] { 1, 2 }).view(1, 2).requires_grad_(), tensor(new float[] { 3 }).view(1, 1).requires_grad_());
        linear.Adapter = new LoraAdapter(a, b, 2, null);
        linear.Forward(tensor(new float[] { 1, 1 }).view(1, 2), null).sum().backward();

        // ∂B = 2 (1 + 2) = 6; ∂A = 2 · 3 = (6 6). Ĝ = 6 (1 2) + 3 (6 6) − 6 (6 6) = (−12 −6); W + 2 B A = (7 11).
        Assert.Equal([84.0, 66.0], LoraImportance.Entries(linear).data<double>().ToArray());
    }

    [Fact]
    public void Members_of_a_unit_count_as_shares_of_their_norms()
    {
        using var scope = NewDisposeScope();
        using var mlp = new Mlp
        {
            Gate = new Linear("gate", zeros(2, 1), null),
            Up = new Linear("up", zeros(2, 1), null),
            Down = new Linear("down", zeros(1, 2), null),
            Activation = Activation.Silu,
        };
        var entries = new Dictionary<string, Tensor>
        {
            ["gate"] = tensor(new double[] { 3, 4 }).view(2, 1),
            ["up"] = tensor(new double[] { 0, 7 }).view(2, 1),
            ["down"] = zeros(1, 2, dtype: ScalarType.Float64),
        };

        var units = LoraImportance.Units(ModelUnits.Neurons(mlp, 0), linear => entries[linear.Name]);

        Assert.Equal([0.6, 1.8], units.data<double>().ToArray());
    }
}
