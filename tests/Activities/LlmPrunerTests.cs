using System.Text.Json.Nodes;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>LLM-Pruner's importances and kept units: the reference's, hand-worked ones, and on every architecture.</summary>
public sealed class LlmPrunerTests
{
    public static TheoryData<string> Architectures => [.. TinyArchitectures.Names];

    [Theory]
    [InlineData("taylor_param_first", TaylorImportance.ParamFirst, GroupReduction.Sum)]
    [InlineData("l2", TaylorImportance.L2, GroupReduction.Mean)]
    public void Importances_and_kept_units_are_the_reference_s(string name, TaylorImportance importance, GroupReduction reduction)
    {
        const string reference = "prune/llama-tiny-mha-trained/llmpruner";
        using var model = CausalFolder.Load(Golden.Path("models/llama-tiny-mha-trained"), CPU);
        using var golden = SafetensorsFile.Open(Golden.Path($"{reference}_{name}.safetensors"));
        var summary = JsonNode.Parse(File.ReadAllText(Golden.Path($"{reference}_summary.json")))![name]!;
        using var scope = NewDisposeScope();
        var parameters = new LlmPruner.Parameters(0.25, importance, reduction);
        using var gradients = Gradients(model, Golden.Tokens("calib").narrow(0, 0, 10), squares: false);

        foreach (var (site, expected) in model.Sites().Zip(golden.Tensors.Keys.Order(StringComparer.Ordinal)))
        {
            using var ungraded = no_grad();
            var ratio = LlmPruner.Channels(site, gradients, parameters).view(-1) / golden.View(expected).to(ScalarType.Float64);
            Assert.InRange((ratio - 1).abs().max().ToDouble(), 0, 1e-4);
        }

        var kept = LlmPruner.Decide(model, gradients, parameters);
        foreach (var (site, units) in model.Sites().Zip(kept))
        {
            // The reference lists the rows of v and of gate.
            var rows = site.Linears[site.Kind == UnitKind.Neuron ? 0 : 2];
            var file = $"{rows.Linear.Name["model.".Length..]}.kept_rows";
            Assert.Equal(
                summary["kept"]![file]!.AsArray().Select(row => row!.GetValue<long>()), units.Units.SelectMany(unit => rows.Indices(unit)));
        }

        new PruningDecision(name, "prune.llmpruner", kept).Apply(model, null, StageFolder.Unkept, TestContext.Current.CancellationToken);
        Assert.Equal(summary["params_after"]!.GetValue<long>(), model.ParameterCount());
        Assert.Equal(1, Golden.Perplexity(model, 64) / summary["ppl_after"]!.GetValue<double>(), 1e-4);
    }

    [Theory]
    [InlineData(TaylorImportance.Vector, new[] { 1.0, 5.0 })]
    [InlineData(TaylorImportance.ParamFirst, new[] { 3.0, 5.0 })]
    [InlineData(TaylorImportance.ParamSecond, new[] { 6.0, 17.0 })]
    [InlineData(TaylorImportance.ParamMix, new[] { 4.0, 13.5 })]
    [InlineData(TaylorImportance.L1, new[] { 3.0, 7.0 })]
    [InlineData(TaylorImportance.L2, new[] { 5.0, 25.0 })]
    public void Scores_rows_by_weight_times_gradient(TaylorImportance importance, double[] rows)
    {
        using var scope = NewDisposeScope();

        // S = W ⊙ G = [1 −2 | −3 −2]; W² ⊙ F = [2 4 | 9 8].
        var weight = tensor(new double[] { 1, 2, 3, -4 }).view(2, 2);
        var gradient = tensor(new double[] { 1, -1, -1, 0.5 }).view(2, 2);
        var squares = tensor(new double[] { 2, 1, 1, 0.5 }).view(2, 2);

        Assert.Equal(rows, LlmPrunerScores.Lines(importance, 0, weight, gradient, squares).data<double>().ToArray());
        Assert.Equal(
            rows, LlmPrunerScores.Lines(importance, 1, weight.t(), gradient.t(), squares.t()).data<double>().ToArray());
    }

    [Theory]
    [InlineData(GroupFold.Contiguous, new[] { 0.0 + 2 + 4 + 6, 1.0 + 3 + 5 + 7, 8 + 10 + 12 + 14, 9 + 11 + 13 + 15 })]
    [InlineData(GroupFold.Modulo, new[] { 0.0 + 4 + 8 + 12, 1.0 + 5 + 9 + 13, 2 + 6 + 10 + 14, 3 + 7 + 11 + 15 })]
    public void Query_heads_are_added_to_the_KV_head_that_they_read_or_as_released(GroupFold fold, double[] expected)
    {
        // Eight query heads of 2 that share two KV heads: unit 0 has query rows 0 to 7.
        using var scope = NewDisposeScope();
        using var attention = new Attention
        {
            Query = Line("q", 16),
            Key = Line("k", 4),
            Value = Line("v", 4),
            Output = new Linear("o", zeros(3, 16), null),
            KeyDim = 2,
            ValueDim = 2,
            Scale = 1,
        };
        var site = ModelUnits.Groups(attention, 0);

        var channels = LlmPrunerScores.Channels(
            site, member => member.Linear.Name == "q" ? arange(16).to(ScalarType.Float64) : zeros(member.Linear.Name == "o" ? 16 : 4, dtype: ScalarType.Float64),
            GroupReduction.Sum, fold);

        Assert.Equal([2L, 2L], channels.shape);
        Assert.Equal(expected, channels.contiguous().view(-1).data<double>().ToArray());

        static Linear Line(string name, long rows) => new(name, zeros(rows, 3), null);
    }

    [Theory]
    [InlineData(GroupReduction.Sum, 14.0)]
    [InlineData(GroupReduction.Mean, 14.0 / 3)]
    [InlineData(GroupReduction.Max, 8.0)]
    [InlineData(GroupReduction.Prod, 64.0)]
    [InlineData(GroupReduction.First, 2.0)]
    public void Matrices_of_a_unit_become_one_score(GroupReduction reduction, double expected)
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create("llama");
        var site = model.Sites(0).Last();
        var value = new Queue<double>([2, 4, 8]);

        var channels = LlmPrunerScores.Channels(
            site, _ => full(24, value.Dequeue(), dtype: ScalarType.Float64), reduction, GroupFold.Contiguous);

        Assert.Equal(expected, channels[0, 0].ToDouble(), 12);
    }

    [Fact]
    public void Keeps_at_least_one_and_lets_the_first_of_equals_go()
    {
        Assert.Equal([0, 3], LlmPrunerScores.Keep([5, 1, 1, 2], 0.5));
        Assert.Equal([2, 3], LlmPrunerScores.Keep([1, 1, 1, 1], 0.5));
        Assert.Equal([0], LlmPrunerScores.Keep([5, 1], 0.95));
        Assert.Equal([0, 1, 2], LlmPrunerScores.Keep([5, 1, 2], 0.3));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_second_order_estimate_prunes_every_architecture_between_the_blocks_that_stay(string architecture)
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create(architecture);
        var parameters = new LlmPruner.Parameters(0.5, TaylorImportance.ParamMix, KeepFirst: 1, KeepLast: 1);
        var tokens = cat([TinyArchitectures.Prompt(), TinyArchitectures.Prompt().flip(1)]);
        using var gradients = Gradients(model, tokens, squares: true);

        var kept = LlmPruner.Decide(model, gradients, parameters);
        new PruningDecision("m", "prune.llmpruner", kept).Apply(model, null, StageFolder.Unkept, TestContext.Current.CancellationToken);

        Assert.All(kept, site => Assert.Equal(site.Of / 2, site.Units.Count));
        Assert.Equal([24, 12, 24], model.Blocks.Select(block => block.Mlp!.IntermediateSize));
        using var ungraded = no_grad();
        Assert.True(model.Forward(TinyArchitectures.Prompt()).isfinite().all().ToBoolean());
    }

    [Theory]
    [InlineData("llama", UnitRanking.Global)]
    [InlineData("opt", UnitRanking.GlobalPerParameter)]
    public void In_one_ranking_what_goes_is_worth_no_more_than_what_stays(string architecture, UnitRanking ranking)
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create(architecture);
        var parameters = new LlmPruner.Parameters(0.3, Ranking: ranking);
        using var gradients = Gradients(model, TinyArchitectures.Prompt(), squares: false);
        var sites = model.Sites().ToArray();

        var kept = LlmPruner.Decide(model, gradients, parameters);

        using var ungraded = no_grad();
        var units = sites.Zip(kept).SelectMany(one =>
        {
            var scores = LlmPruner.Channels(one.First, gradients, parameters).sum([1L]).data<double>().ToArray();
            var cost = ranking == UnitRanking.Global ? 1 : one.First.UnitParameters;
            return scores.Select((score, unit) => (Score: score / cost, Stays: one.Second.Units.Contains(unit), Last: one.Second.Units.Count == 1));
        }).ToArray();
        Assert.True(units.Where(unit => !unit.Stays).Max(unit => unit.Score) <= units.Where(unit => unit.Stays && !unit.Last).Min(unit => unit.Score));
        var whole = sites.Sum(site => site.Count * site.UnitParameters);
        var gone = sites.Zip(kept).Sum(one => (one.First.Count - one.Second.Units.Count) * one.First.UnitParameters);
        Assert.InRange(gone, 0.3 * whole - sites.Max(site => site.UnitParameters), 0.3 * whole);
    }

    [Fact]
    public async Task Without_a_text_there_is_no_gradient()
    {
        using var stages = new StageFolder();
        var model = await stages.ModelAsync();

        var error = await Assert.ThrowsAsync<StageException>(() => stages.RunAsync("prune.llmpruner", new { }, ("model", model)));

        Assert.Contains("connect 'calibration'", error.Message);
    }

    private static WeightGradients Gradients(CausalLM model, Tensor tokens, bool squares) =>
        WeightGradients.Of(model, tokens, squares, StageFolder.Unkept, TestContext.Current.CancellationToken);
}
