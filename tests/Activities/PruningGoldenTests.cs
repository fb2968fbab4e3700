using Pipelines.Activities.Calibration;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>Masks and kept units against those of the methods' own code (golden/README.md).</summary>
public sealed class PruningGoldenTests
{
    [Theory]
    [InlineData("magnitude_0.5", "none", 8.291441917419434)]
    [InlineData("magnitude_2of4", "2:4", 9.321758270263672)]
    public void Magnitude_keeps_what_the_reference_keeps(string file, string pattern, double perplexity)
    {
        using var model = Load("llama-tiny-trained");
        using var golden = SafetensorsFile.Open(Golden.Path($"prune/llama-tiny-trained/{file}.safetensors"));

        foreach (var linear in model.Linears())
        {
            using var scope = NewDisposeScope();
            var scores = linear.Weight.abs();
            var mask = SparsityPattern.Parse(pattern)?.Mask(scores, linear.Name)
                ?? MagnitudePrune.Mask(scores, 0.5, MagnitudeCut.Released);
            AssertKeeps(golden, linear, mask);
            linear.SetWeight(linear.Weight.masked_fill(mask, 0));
        }

        Assert.Equal(1, Golden.Perplexity(model, 64) / perplexity, 1e-4);
    }

    [Theory]
    [InlineData("wanda_0.5", "none", 8.313154220581055)]
    [InlineData("wanda_2of4", "2:4", 8.991755485534668)]
    public void Wanda_keeps_what_the_reference_keeps(string file, string pattern, double perplexity)
    {
        using var model = Load("llama-tiny-trained");
        using var golden = SafetensorsFile.Open(Golden.Path($"prune/llama-tiny-trained/{file}.safetensors"));
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();

        WandaPrune.Run(
            model, Golden.Tokens("calib"), 0.5, SparsityPattern.Parse(pattern), (_, _, _, _) => { },
            TestContext.Current.CancellationToken);

        foreach (var linear in model.Linears())
            AssertKeeps(golden, linear, linear.Weight.eq(0));
        Assert.Equal(1, Golden.Perplexity(model, 64) / perplexity, 1e-4);
    }

    [Fact]
    public void Wandas_statistics_of_the_first_block_are_the_references()
    {
        using var model = Load("llama-tiny-trained");
        using var golden = SafetensorsFile.Open(Golden.Path("prune/llama-tiny-trained/wanda_0.5.safetensors"));
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var runner = new BlockRunner(model, Golden.Tokens("calib"), TestContext.Current.CancellationToken);
        runner.MoveNext();

        using var moments = runner.Measure(spread: false);

        foreach (var linear in runner.Block.Linears)
        {
            var expected = golden.View($"{linear.Name}.scaler_row");
            var ratio = moments[linear.Name].MeanSquare / expected;
            Assert.InRange((ratio - 1).abs().max().ToDouble(), 0, 1e-4);
        }
    }

    [Theory]
    [InlineData("llama-tiny-mha-trained", "flap_WIFV_AL-AM_0.25", FlapMetric.Wifv, FlapStructure.AlAm, 8.206271171569824)]
    [InlineData("llama-tiny-mha-trained", "flap_WIFV_UL-UM_0.25", FlapMetric.Wifv, FlapStructure.UlUm, 8.008169174194336)]
    [InlineData("llama-tiny-mha-trained", "flap_WIFN_AL-AM_0.25", FlapMetric.Wifn, FlapStructure.AlAm, 8.214181900024414)]
    [InlineData("llama-hd128", "flap_WIFV_UL-UM_0.25", FlapMetric.Wifv, FlapStructure.UlUm, 411.05059814453125)]
    public void Flap_keeps_what_the_reference_keeps(
        string name, string file, FlapMetric metric, FlapStructure structure, double perplexity)
    {
        using var model = Load(name);
        using var golden = SafetensorsFile.Open(Golden.Path($"prune/{name}/{file}.safetensors"));
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var statistics = Gathered.Of(
            model, Golden.Tokens("calib"), new StatisticsPlan(StatisticKinds.Moments, LinearRoles.Output | LinearRoles.Down));

        var kept = FlapPrune.Decide(
            [.. model.Sites()], statistics.Fluctuation, statistics.MeanSquare, new FlapPrune.Parameters(0.25, metric, structure));

        foreach (var site in kept.Zip(model.Sites()))
        {
            var half = site.First.Kind == UnitKind.Neuron ? "mlp" : "head";
            Assert.Equal(Kept(golden.View($"layers.{site.Second.Block}.{half}_keep")), site.First.Units);
        }

        new PruningDecision(name, "prune.flap", kept)
            .Apply(model, statistics.Mean, StageFolder.Unkept, TestContext.Current.CancellationToken);
        foreach (var site in model.Sites())
            AssertBias(golden, $"pruned.{site.Reader.Name}.bias", site.Reader);

        // hd128 was run in half precision by the reference, so its perplexity is only near.
        Assert.Equal(1, Golden.Perplexity(model, 64) / perplexity, name == "llama-hd128" ? 5e-3 : 1e-4);
    }

    private static void AssertKeeps(SafetensorsFile golden, Linear linear, Tensor mask)
    {
        var keep = golden.View($"{linear.Name}.keep").to(ScalarType.Bool);
        Assert.Equal(0, keep.eq(mask).sum().ToInt64());
    }

    private static void AssertBias(SafetensorsFile golden, string name, Linear linear)
    {
        if (golden.Tensors.ContainsKey(name))
            Assert.InRange((golden.View(name) - linear.Bias!).abs().max().ToDouble(), 0, 1e-3);
    }

    private static IEnumerable<int> Kept(Tensor keep) =>
        keep.to(ScalarType.Int64).data<long>().ToArray().Index().Where(unit => unit.Item != 0).Select(unit => unit.Index);

    private static CausalLM Load(string name) => CausalFolder.Load(Golden.Path($"models/{name}"), CPU, ScalarType.Float32);
}
