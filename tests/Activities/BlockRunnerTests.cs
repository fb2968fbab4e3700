using Pipelines.Activities.Calibration;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

public sealed class BlockRunnerTests
{
    /// <summary>However many sequences run beside each other: sums are taken in the sequences' order.</summary>
    [Theory]
    [InlineData("llama")]
    [InlineData("phi")]
    public void Sequences_beside_each_other_give_the_bits_of_one_after_the_other(string architecture)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(architecture);
        using var generator = new Generator(5, CPU);
        var tokens = randint(model.Config.VocabSize, [7, 12], dtype: ScalarType.Int64, generator: generator);

        var alone = Walk(model, tokens, 1);
        var beside = Walk(model, tokens, 3);

        Assert.Equal(alone.Count, beside.Count);
        foreach (var (expected, found) in alone.Zip(beside))
            Assert.True(expected.eq(found).all().ToBoolean());
    }

    /// <summary>Where one linear of a block is asked about, the input before is of the same sum, and of another sequence.</summary>
    [Fact]
    public void A_single_sum_takes_in_every_sequence()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create("llama");
        using var generator = new Generator(5, CPU);
        var tokens = randint(model.Config.VocabSize, [5, 12], dtype: ScalarType.Int64, generator: generator);

        var (first, alone, beside) = (Down(tokens.narrow(0, 0, 1), 1), Down(tokens, 1), Down(tokens, 3));

        Assert.True(alone.Equals(beside));
        Assert.False(alone.Equals(first));

        Tensor Down(Tensor some, int together)
        {
            using var runner = new BlockRunner(model, some, TestContext.Current.CancellationToken) { Together = together };
            runner.MoveNext();
            using var statistics = new BlockStatistics(runner.Block, new StatisticsPlan(StatisticKinds.MeanSquare, LinearRoles.Down));
            runner.Gather(statistics, whole: false, successor: null);
            return Assert.Single(statistics.Finish("block")).Tensor.clone();
        }
    }

    [Fact]
    public void What_goes_wrong_in_a_sequence_is_what_is_thrown()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create("llama");
        using var runner = new BlockRunner(model, zeros(4, 8, dtype: ScalarType.Int64), TestContext.Current.CancellationToken) { Together = 2 };
        runner.MoveNext();
        runner.Block.Mlp!.Up.SetWeight(ones(3, 5));

        Assert.Throws<TorchSharp.Interop.TorchException>(() => runner.Advance());
    }

    /// <summary>H = 2/n Σ XᵀX, though only stripes of its lower half are computed: 150 channels are three of them.</summary>
    [Fact]
    public void A_gram_matrix_is_whole_though_half_of_it_is_computed()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var x = empty(3, 20, 150).normal_(0, 1, generator: generator);
        using var gram = new Gram();
        foreach (var sequence in x.split(1))
            gram.Add(sequence);

        var rows = x.view(-1, 150).to(ScalarType.Float64);
        Assert.InRange((gram.Hessian() - rows.t().matmul(rows) * (2.0 / 3)).abs().max().ToDouble(), 0, 1e-4);
    }

    [Fact]
    public void Sums_over_tokens_are_those_of_double_precision()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var x = empty(301, 37).normal_(3, 2, generator: generator);
        var wide = x.to(ScalarType.Float64);

        var (sum, square) = TokenSums.Of(x);

        Assert.InRange((sum - wide.sum([0L])).abs().max().ToDouble(), 0, 1e-10);
        Assert.InRange((square - wide.square().sum([0L])).abs().max().ToDouble(), 0, 1e-10);
    }

    [Fact]
    public void Weights_in_a_scratch_file_are_the_same_weights()
    {
        var folder = Directory.CreateTempSubdirectory("pipelines-scratch-").FullName;
        using (var model = TinyArchitectures.Create("llama"))
        using (NewDisposeScope())
        {
            var before = model.Linears().Select(linear => linear.Weight.clone()).ToArray();
            ScratchWeights.Move(model.Blocks[0].Linears, folder);
            Assert.True(model.Linears().Zip(before).All(pair => pair.First.Weight.eq(pair.Second).all().ToBoolean()));
        }

        Assert.Empty(Directory.EnumerateFiles(folder));
        Directory.Delete(folder);
    }

    /// <summary>What is measured of every block, and what it feeds to the next.</summary>
    private static List<Tensor> Walk(CausalLM dense, Tensor tokens, int together)
    {
        var all = new List<Tensor>();
        using var runner = new BlockRunner(dense, tokens, TestContext.Current.CancellationToken) { Together = together };
        while (runner.MoveNext())
        {
            using var moments = runner.Measure(spread: true);
            using var grams = new SharedInputs<Gram>(() => new Gram());
            runner.Observe(grams);
            using var exact = new SharedInputs<Gram>(() => new Gram(exact: true));
            runner.Observe(exact);
            foreach (var linear in runner.Block.Linears)
                all.AddRange([moments[linear.Name].MeanSquare.clone(), moments[linear.Name].Fluctuation.clone(), moments[linear.Name].Mean.clone()]);
            all.AddRange(grams.Groups.Concat(exact.Groups).Select(group => group.Key.Hessian()));
            runner.Advance();
            all.Add(runner.Hidden.clone());
        }

        return all;
    }
}
