using Pipelines.Activities.Calibration;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>MoDeGPT's three decompositions on matrices whose best answer is known, and whole models of each architecture.</summary>
public sealed class ModegptTests : IDisposable
{
    private readonly string scratch = Directory.CreateTempSubdirectory("pipelines-modegpt-").FullName;

    public static TheoryData<string> All => [.. TinyArchitectures.Names];

    public void Dispose() => Directory.Delete(scratch, recursive: true);

    [Fact]
    public void Nystrom_is_the_least_squares_optimum()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var (x, weight) = (Normal(generator, 50, 6), Normal(generator, 4, 6));
        var kept = tensor(new long[] { 0, 2, 5 });

        var narrow = ModegptSolves.Nystrom(weight, x.t().matmul(x), kept, ridge: 0);

        var part = x.index_select(1, kept);
        var (best, _, _, _) = linalg.lstsq(part, x.matmul(weight.t()));
        AssertNear(best.t(), narrow);
        var error = Error(narrow);
        for (var trial = 0; trial < 20; trial++)
            Assert.True(Error(narrow + Normal(generator, 4, 3) * 1e-3) > error);

        double Error(Tensor candidate) => (part.matmul(candidate.t()) - x.matmul(weight.t())).square().sum().ToDouble();
    }

    [Fact]
    public void Keeping_every_neuron_changes_no_weight_however_large_the_ridge()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2, CPU);
        var (x, weight) = (Normal(generator, 9, 6), Normal(generator, 4, 6));

        AssertNear(weight, ModegptSolves.Nystrom(weight, x.t().matmul(x), arange(6, dtype: ScalarType.Int64), ridge: 0.3));
    }

    [Fact]
    public void Leverage_is_the_diagonal_of_the_smoother()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var x = Normal(generator, 20, 5);
        var gram = x.t().matmul(x);
        var strength = 0.1 * gram.diagonal().mean().ToDouble();

        var smoother = gram.matmul(linalg.inv(gram + eye(5, dtype: ScalarType.Float64) * strength));

        AssertNear(smoother.diagonal(), ModegptSolves.Leverage(gram, 0.1));
    }

    [Fact]
    public void Only_the_diagonals_count_for_column_selection()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4, CPU);
        var (q, k) = (Normal(generator, 30, 2, 4), Normal(generator, 30, 1, 4));
        var (query, key) = (einsum("thi,thj->hij", q, q), einsum("thi,thj->hij", k, k));

        // ‖C^½[:, i]‖ by its definition, with the root from the eigenvalues.
        var expected = Norms(query[0]) * Norms(key[0]) + Norms(query[1]) * Norms(key[0]);

        AssertNear(expected, ModegptSolves.ChannelScores(query, key)[0]);

        static Tensor Norms(Tensor matrix)
        {
            var (values, vectors) = linalg.eigh(matrix);
            return vectors.matmul(values.clamp_min(0).sqrt().view(-1, 1) * vectors.t()).square().sum([0L]);
        }
    }

    [Fact]
    public void One_decomposition_of_value_and_output_beats_one_of_the_value_alone()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5, CPU);
        var mix = Normal(generator, 10, 10);
        var x = Normal(generator, 200, 10).matmul(mix);
        var (value, output) = (Normal(generator, 6, 10), Normal(generator, 3, 10, 6) * arange(1, 7, dtype: ScalarType.Float64));
        var gram = x.t().matmul(x);
        var whole = Products(value, output);

        var (v, o) = ModegptSolves.ValueOutput(value, output, gram, 3, ridge: 0);
        var joint = (Products(v, o) - whole).square().sum().ToDouble();

        // The best that any rank 3 can do: what is left of the singular values.
        var best = linalg.svdvals(whole.permute(1, 0, 2).reshape(200, -1)).square().narrow(0, 3, 3).sum().ToDouble();
        Assert.Equal(1, joint / best, 1e-6);
        var (_, _, right) = linalg.svd(x.matmul(value.t()), fullMatrices: false);
        var projection = right.narrow(0, 0, 3);
        var alone = (Products(projection.matmul(value), output.matmul(projection.t())) - whole).square().sum().ToDouble();
        Assert.True(joint < alone, $"{joint} < {alone}");

        Tensor Products(Tensor down, Tensor up) => x.matmul(down.t()).matmul(up.transpose(1, 2));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Keeping_everything_changes_nothing(string architecture)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(architecture);
        var before = model.Forward(TinyArchitectures.Prompt());

        Run(model, new ModegptPrune.Parameters(0.0));

        Assert.InRange((model.Forward(TinyArchitectures.Prompt()) - before).abs().max().ToDouble(), 0, 1e-4);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_narrowed_model_is_smaller_and_the_same_when_it_is_loaded(string architecture)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(architecture);
        var whole = model.Linears().Sum(linear => linear.Weight.numel());

        Run(model, new ModegptPrune.Parameters(0.4, ModegptAllocation.Uniform));

        Assert.Equal(0.6, (double)model.Linears().Sum(linear => linear.Weight.numel()) / whole, 0.05);
        Assert.True(model.Blocks[0].Attention!.KeyDim < 4 && model.Blocks[0].Attention!.ValueDim < 4);
        var folder = Directory.CreateDirectory(Path.Combine(scratch, "saved")).FullName;
        Assert.True(CausalFolder.Save(model, folder));
        using var loaded = CausalFolder.Load(folder, CPU);
        var logits = model.Forward(TinyArchitectures.Prompt());
        Assert.True(logits.isfinite().all().ToBoolean());
        Assert.True(logits.Equals(loaded.Forward(TinyArchitectures.Prompt())));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Channels_that_carry_nothing_go_first_and_unseen(string architecture)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(architecture);
        var half = model.Config.RotaryDim / 2;
        foreach (var block in model.Blocks)
        {
            // Of 4 channels of each head, the pair (1, 3) (of a partial rotary embedding, the plain 3; without one, 3)
            // and value channel 2 say nothing.
            var attention = block.Attention!;
            int[] silent = half == 2 ? [1, 3] : [3];
            foreach (var linear in new[] { attention.Query, attention.Key })
                Silence(linear, silent);
            Silence(attention.Value, [2]);
        }

        var before = model.Forward(TinyArchitectures.Prompt());
        var ranks = new ModegptRanks(half == 2 ? 2 : 3, half == 2 ? 1 : half, 3, 24);
        using var statistics = Gathered(model);
        foreach (var block in model.Blocks)
            ModegptBlock.Narrow(block, model.Config.RotaryDim, ranks, statistics, new ModegptPrune.Parameters(ValueRidge: 1e-12));

        Assert.InRange((model.Forward(TinyArchitectures.Prompt()) - before).abs().max().ToDouble(), 0, 1e-4);

        static void Silence(Linear linear, int[] channels)
        {
            var rows = Enumerable.Range(0, (int)linear.Weight.shape[0] / 4).SelectMany(head => channels.Select(channel => (long)(head * 4 + channel)));
            var index = tensor(rows.ToArray());
            linear.SetWeight(linear.Weight.index_fill(0, index, 0));
            linear.SetBias(linear.Bias?.index_fill(0, index, 0));
        }
    }

    [Fact]
    public void Keeps_more_of_a_trained_model_than_cutting_at_random_does()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = CausalFolder.Load(Golden.Path("models/llama-tiny-trained"), CPU);
        using var random = CausalFolder.Load(Golden.Path("models/llama-tiny-trained"), CPU);
        var whole = model.Linears().Sum(linear => linear.Weight.numel());

        Run(model, new ModegptPrune.Parameters(0.3), Golden.Tokens("calib"));
        var kept = model.Linears().Sum(linear => linear.Weight.numel());
        Assert.Equal(0.7, (double)kept / whole, 0.01);

        // As much less, all of it neurons.
        var draw = new Random(1);
        foreach (var site in random.Sites().Where(site => site.Kind == UnitKind.Neuron))
            site.Keep([.. Enumerable.Range(0, site.Count).OrderBy(_ => draw.Next()).Take(site.Count - (int)((whole - kept) / 4 / site.UnitParameters)).Order()]);
        Assert.Equal(1, (double)random.Linears().Sum(linear => linear.Weight.numel()) / kept, 0.01);
        var (narrowed, cut) = (Golden.Perplexity(model, 64), Golden.Perplexity(random, 64));
        Assert.True(narrowed < 0.9 * cut, $"{narrowed} < {cut}");
    }

    private void Run(CausalLM model, ModegptPrune.Parameters parameters, Tensor? tokens = null)
    {
        using var statistics = Gathered(model, tokens);
        ModegptPrune.Run(model, statistics, parameters, StageFolder.Unkept, TestContext.Current.CancellationToken);
    }

    private StatisticsFile Gathered(CausalLM model, Tensor? tokens = null)
    {
        var folder = Directory.CreateDirectory(Path.Combine(scratch, "model")).FullName;
        CausalFolder.Save(model, folder);
        using var generator = new Generator(9, CPU);
        tokens ??= randint(32, [16, 12], dtype: ScalarType.Int64, generator: generator);
        var plan = new StatisticsPlan(
            StatisticKinds.Gram | StatisticKinds.Heads | StatisticKinds.Influence, LinearRoles.Value | LinearRoles.Down);
        var stage = StageFolder.Unkept with { Scratch = scratch };
        var blocks = new StatisticsRunner(folder, plan, stage, TestContext.Current.CancellationToken).Run(tokens);
        StatisticsFile.Join(scratch, blocks, new CalibrationIdentity("m", "d", 1, 1, null, plan));
        return StatisticsFile.Open(scratch, "m", Propagation.Dense);
    }

    private static Tensor Normal(Generator generator, params long[] shape) =>
        empty(shape, dtype: ScalarType.Float64).normal_(0, 1, generator: generator);

    private static void AssertNear(Tensor expected, Tensor got) => Assert.InRange((expected - got).abs().max().ToDouble(), 0, 1e-8);
}
