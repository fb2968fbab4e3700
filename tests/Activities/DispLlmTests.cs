using System.Text.Json.Nodes;
using Pipelines.Activities.Gates;
using Pipelines.Activities.Modeling;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>DISP-LLM on models: what its gates do, against the published code's numbers, and what is left once they cut.</summary>
public sealed class DispLlmTests : IDisposable
{
    private const string Trained = "llama-tiny-trained";

    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    public static TheoryData<string> Architectures() => [.. TinyArchitectures.Names];

    [Theory]
    [InlineData("hard", "ppl_hard")]
    [InlineData("soft", "ppl_soft")]
    public void Gated_it_computes_what_the_published_code_computes(string values, string perplexity)
    {
        using var model = CausalFolder.Load(Golden.Path($"models/{Trained}"), CPU);
        using var golden = SafetensorsFile.Open(Golden.Path($"prune/{Trained}/displlm.safetensors"));
        var gates = Enumerable.Range(0, 20).Select(index => golden.View($"gates.{values}.{index}")).ToArray();

        // The published code multiplies both branches of the MLP by the neurons' gates, which squares those in between.
        for (var layer = 0; layer < 4; layer++)
            gates[5 * layer + 3] = gates[5 * layer + 3].square();
        using var ungraded = no_grad();
        var hook = new DispLlmGates(model).Hook(gates);

        var logits = model.Forward(Golden.Tokens("prompt"), hook);

        Assert.InRange((logits - golden.View($"logits.{values}")).abs().max().ToDouble(), 0, 2e-5);
        Assert.Equal(1, Golden.Perplexity(model, 64, hook) / Summary()[perplexity]!.GetValue<double>(), 1e-4);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Cut_it_computes_what_it_computed_with_its_gates_closed(string architecture)
    {
        using var model = TinyArchitectures.Create(architecture);
        using var ungraded = no_grad();
        var gates = new DispLlmGates(model);
        var open = Random(gates, seed: 4);
        var expected = model.Forward(TinyArchitectures.Prompt(), gates.Hook(Values(gates, open)));
        var size = gates.Size(Values(gates, open)).ToInt64();
        Assert.Equal(gates.FullSize, model.Linears().Sum(linear => linear.Weight.numel()));

        gates.Decide(open, "model", "prune.displlm").Apply(model, null, StageFolder.Unkept, TestContext.Current.CancellationToken);

        Assert.Equal(size, model.Linears().Sum(linear => linear.Weight.numel()));
        Assert.Equal(gates.Share(open), (double)size / gates.FullSize, 1e-12);
        Assert.InRange((model.Forward(TinyArchitectures.Prompt()) - expected).abs().max().ToDouble(), 0, 1e-5);
        Assert.Throws<Pipelines.Workflows.StageException>(() => new DispLlmGates(model));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Cut_it_is_saved_with_a_manifest_and_loaded_to_the_same_bits(string architecture)
    {
        using var model = TinyArchitectures.Create(architecture);
        using var ungraded = no_grad();
        var gates = new DispLlmGates(model);
        gates.Decide(Random(gates, seed: 5), "model", "prune.displlm")
            .Apply(model, null, StageFolder.Unkept, TestContext.Current.CancellationToken);
        var folder = Directory.CreateTempSubdirectory("pipelines-displlm-").FullName;

        Assert.True(CausalFolder.Save(model, folder));
        using var loaded = CausalFolder.Load(folder, CPU);

        Assert.Equal(model.ParameterCount(), loaded.ParameterCount());
        Assert.True(model.Forward(TinyArchitectures.Prompt()).Equals(loaded.Forward(TinyArchitectures.Prompt())));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_model_without_an_attention_and_without_an_MLP_has_gates_for_the_rest()
    {
        using var model = TinyArchitectures.Create("llama");
        model.Blocks[0].RemoveAttention();
        model.Blocks[1].RemoveMlp();
        using var ungraded = no_grad();
        var gates = new DispLlmGates(model);
        var open = Random(gates, seed: 6);
        var expected = model.Forward(TinyArchitectures.Prompt(), gates.Hook(Values(gates, open)));

        gates.Decide(open, "model", "prune.displlm").Apply(model, null, StageFolder.Unkept, TestContext.Current.CancellationToken);

        Assert.Equal([16, 24, 16, 16, 16, 16, 16, 16, 24, 16], gates.Sizes);
        Assert.InRange((model.Forward(TinyArchitectures.Prompt()) - expected).abs().max().ToDouble(), 0, 1e-5);
    }

    [Fact]
    public void Frozen_gates_fill_the_budget_by_their_logits_and_never_exceed_it()
    {
        using var model = TinyArchitectures.Create("llama");
        var gates = new DispLlmGates(model);
        using var generator = new Generator(3);
        var logits = gates.Sizes.Select(size => randn(size, generator: generator)).ToArray();

        foreach (var kept in (double[])[0.1, 0.3, 0.5, 0.71, 1])
        {
            var open = gates.Freeze(logits, kept);

            Assert.All(open, vector => Assert.NotEmpty(vector));
            Assert.InRange(gates.Share(open), kept - 0.02, kept);
            Assert.All(open.Zip(logits), pair => Assert.Equal(KeptIndices.Largest(pair.Second, pair.First.Length), pair.First));
        }
    }

    [Fact]
    public void What_it_learns_beats_chance_and_costs_what_it_says()
    {
        using var model = CausalFolder.Load(Golden.Path($"models/{Trained}"), CPU);
        var (open, perplexity, share) = Prune(model, new(Ratio: 0.5, Steps: 80, Batch: 2, LearningRate: 5e-3));

        using var other = CausalFolder.Load(Golden.Path($"models/{Trained}"), CPU);
        using var ungraded = no_grad();
        var gates = new DispLlmGates(other);
        using var generator = new Generator(1);
        var chance = gates.Freeze([.. gates.Sizes.Select(size => randn(size, generator: generator))], 0.5);
        var random = Golden.Perplexity(other, 64, gates.Hook(Values(gates, chance)));

        TestContext.Current.SendDiagnosticMessage($"learned {perplexity:f2} at {share:f4}, by chance {random:f2}");
        Assert.InRange(share, 0.495, 0.5);
        Assert.True(perplexity < 12.5, $"{perplexity}");
        Assert.True(perplexity < 0.85 * random, $"{perplexity} against {random}");
    }

    [Fact(Explicit = true)]
    public void Reaches_the_references_perplexity()
    {
        foreach (var values in Enum.GetValues<GateValues>())
        {
            foreach (var ratio in (double[])[0.5, 1 - 0.53286])
            {
                foreach (var batch in (int[])[1, 4, 8])
                {
                    using var model = CausalFolder.Load(Golden.Path($"models/{Trained}"), CPU);
                    var clock = System.Diagnostics.Stopwatch.StartNew();
                    var (_, perplexity, share) = Prune(model, new(ratio, Steps: 600, Batch: batch, Gates: values));
                    TestContext.Current.SendDiagnosticMessage(
                        $"{values} batch {batch}: perplexity {perplexity:f3} at {share:f4}, {clock.Elapsed.TotalSeconds:f1} s");
                }
            }
        }
    }

    private static (int[][] Open, double Perplexity, double Share) Prune(CausalLM model, DispLlmPrune.Parameters parameters)
    {
        var (open, _) = DispLlmPrune.Learn(
            model, new TokenBatches(Golden.Tokens("calib"), parameters.Batch, parameters.Seed), parameters, StageFolder.Unkept,
            TestContext.Current.CancellationToken);
        var gates = new DispLlmGates(model);
        var share = gates.Share(open);
        gates.Decide(open, "model", "prune.displlm").Apply(model, null, StageFolder.Unkept, TestContext.Current.CancellationToken);
        return (open, Golden.Perplexity(model, 64), share);
    }

    /// <summary>Some of each vector, more than none.</summary>
    private static int[][] Random(DispLlmGates gates, ulong seed)
    {
        using var generator = new Generator(seed);
        return [.. gates.Sizes.Select(size => KeptIndices.Above(randn(size, generator: generator), 0.1))];
    }

    private static Tensor[] Values(DispLlmGates gates, int[][] open) =>
        [.. gates.Sizes.Zip(open, (size, kept) => zeros(size).index_fill_(0, tensor(kept.Select(one => (long)one).ToArray()), 1))];

    private static JsonNode Summary() =>
        JsonNode.Parse(File.ReadAllText(Golden.Path("prune/displlm_summary.json")))![Trained]!;
}
