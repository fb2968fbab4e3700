using System.Text.Json.Nodes;
using Pipelines.Activities.Pruning;
using Pipelines.Activities.Searching;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Searching;

/// <summary>SparseGPT, DSnoT and EvoPress over whole models.</summary>
public sealed class SecondOrderStageTests
{
    public static TheoryData<string> All => [.. TinyArchitectures.Names];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Tensor Tokens => arange(8 * 12, dtype: ScalarType.Int64).mul(7).remainder(32).view(8, 12);

    [Fact]
    public void SparseGpt_block_by_block_gives_the_references_model()
    {
        using var model = CausalFolder.Load(Golden.Path("models/llama-tiny-trained"), CPU);
        using var golden = SafetensorsFile.Open(Golden.Path("prune/llama-tiny-trained/ist_sparsegpt_0.5.safetensors"));
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();

        SparseGptPrune.Run(model, Golden.Tokens("calib"), new SparseGptOptions(0.5), (_, _, _, _) => { }, Cancellation);

        foreach (var linear in model.Linears())
        {
            var expected = golden.View($"{linear.Name}.weight");
            Assert.Equal(0, expected.eq(0).ne(linear.Weight.eq(0)).sum().ToInt64());
            Assert.InRange((expected - linear.Weight).abs().max().ToDouble(), 0, 1e-4 * expected.abs().max().ToDouble());
        }
    }

    [Fact]
    public void Dsnot_block_by_block_gives_the_references_model()
    {
        using var model = CausalFolder.Load(Golden.Path("models/llama-tiny-trained"), CPU);
        using var golden = SafetensorsFile.Open(Golden.Path("prune/llama-tiny-trained/dsnot_wanda_0.6.safetensors"));
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();

        DsnotPrune.Run(
            model, Golden.Tokens("calib"), new DsnotPrune.Parameters(0.6, Cycles: 10, Threshold: 0.1, Formula: DsnotFormula.Released), (_, _, _, _) => { },
            Cancellation);

        foreach (var linear in model.Linears())
            Assert.Equal(0, golden.View($"{linear.Name}.keep").to(ScalarType.Bool).eq(linear.Weight.eq(0)).sum().ToInt64());
        var expected = JsonNode.Parse(File.ReadAllText(Golden.Path("prune/more_summary.json")))!["dsnot_wanda_0.6"]!["ppl_after"]!.GetValue<double>();
        Assert.Equal(1, Golden.Perplexity(model, 64) / expected, 1e-4);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Every_architecture_is_pruned_to_its_share(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var sparse = TinyArchitectures.Create(name);
        using var exchanged = TinyArchitectures.Create(name);

        SparseGptPrune.Run(sparse, Tokens, new SparseGptOptions(0.5, SparsityPattern.Parse("2:4")), (_, _, _, _) => { }, Cancellation);
        DsnotPrune.Run(exchanged, Tokens, new DsnotPrune.Parameters(), (_, _, _, _) => { }, Cancellation);

        Assert.All(sparse.Linears(), linear => Assert.Equal(0.5, linear.Sparsity()));
        Assert.All(exchanged.Linears(), linear => Assert.Equal(0.5, linear.Sparsity()));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Skipping_halves_of_blocks_gives_what_removing_them_gives(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(name);
        using var cut = TinyArchitectures.Create(name);
        cut.Blocks[0].RemoveMlp();
        cut.Blocks[2].RemoveAttention();
        var skipped = new Without(model.Blocks[0].Mlp!, model.Blocks[2].Attention!);

        Assert.True(model.Forward(TinyArchitectures.Prompt(), skipped).Equals(cut.Forward(TinyArchitectures.Prompt())));
    }

    [Fact]
    public void A_depth_search_finds_the_halves_that_do_nothing()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create("llama");
        Silence(model.Blocks[0].Attention!.Output);
        Silence(model.Blocks[1].Mlp!.Down);

        var found = EvoPressDepth.Search(
            model, Tokens, new EvoPressDepth.Parameters(0.34, Generations: 8, Offspring: 6, FirstTokens: 24, LastTokens: 48),
            StageFolder.Unkept, Cancellation);

        Assert.Equal([1, 0, 0, 0, 1, 0], found.Levels);
        Assert.InRange(found.Fitness!.Value, -1e-6, 1e-6);
    }

    [Fact]
    public void A_sparsity_search_keeps_the_number_of_zeros_and_betters_the_uniform_one()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var dense = TinyArchitectures.Create("llama");
        using var model = TinyArchitectures.Create("llama");
        var folder = Directory.CreateTempSubdirectory("pipelines-levels-").FullName;
        try
        {
            using var database = LevelDatabase.Create(dense, Tokens, folder, 0.6, levels: 3, stepShare: 0.1, (_, _, _, _) => { }, Cancellation);
            using var fitness = new TokenFitness(dense, Tokens);
            var all = new Pipelines.Activities.Allocation.FitnessBatch(0, 0, 96, 0);
            foreach (var (linear, own) in database.Linears.Zip(model.Linears()))
                own.SetWeight(database.Weight(linear, 0).clone());
            var uniform = (fitness.Of(all, row => model.Forward(row)), Zeros(model));

            EvoPressSparsity.Search(
                dense, model, database, Tokens,
                new EvoPressSparsity.Parameters(0.6, Generations: 12, Offspring: 6, FirstTokens: 48, LastTokens: 96), StageFolder.Unkept, Cancellation);

            Assert.True(fitness.Of(all, row => model.Forward(row)) < uniform.Item1);
            Assert.InRange(Math.Abs(Zeros(model) - uniform.Item2), 0, database.Linears.Count);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static long Zeros(CausalLM network) => network.Linears().Sum(linear => linear.Weight.eq(0).sum().ToInt64());
    }

    private static void Silence(Linear linear)
    {
        linear.SetWeight(zeros_like(linear.Weight));
        linear.SetBias(linear.Bias is null ? null : zeros_like(linear.Bias));
    }

    private sealed class Without(params object[] halves) : LinearHook
    {
        public override bool Skips(object half) => halves.Contains(half);
    }
}
