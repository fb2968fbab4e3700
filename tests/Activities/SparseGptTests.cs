using System.Text.Json.Nodes;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

public sealed class SparseGptTests
{
    [Theory]
    [InlineData("a_0.5", 0.5, "none", 128)]
    [InlineData("a_2of4", 0.5, "2:4", 128)]
    [InlineData("a_0.5_bs16", 0.5, "none", 16)]
    [InlineData("b_dead_0.6", 0.6, "none", 128)]
    [InlineData("c_wide_0.5", 0.5, "none", 64)]
    public void Prunes_a_linear_as_the_reference_does(string name, double sparsity, string pattern, int block)
    {
        using var golden = SafetensorsFile.Open(Golden.Path("fixtures/sparsegpt_linear.safetensors"));
        var summary = JsonNode.Parse(File.ReadAllText(Golden.Path("fixtures/sparsegpt_linear.json")))![name]!;
        var options = new SparseGptOptions(sparsity, SparsityPattern.Parse(pattern), block);

        using var result = SparseGpt.Prune(golden.View($"{name}.W"), golden.View($"{name}.H"), options, name);

        AssertSame(golden.View($"{name}.W_out"), result.Weight);
        Assert.Equal(summary["zeros"]!.GetValue<long>(), Zeros(result.Weight));
        Assert.Equal(1, result.Error / double.Parse(summary["printed"]!.GetValue<string>()["error ".Length..]), 1e-4);
    }

    [Theory]
    [InlineData("llama-tiny-trained")]
    [InlineData("opt-tiny")]
    public void Prunes_the_first_block_of_a_model_as_the_reference_does(string name)
    {
        using var golden = SafetensorsFile.Open(Golden.Path($"prune/{name}/ist_sparsegpt_0.5.safetensors"));
        using var model = SafetensorsFile.Open(Golden.Path($"models/{name}/model.safetensors"));
        var linears = golden.Tensors.Keys.Where(key => key.EndsWith(".H", StringComparison.Ordinal)).ToArray();

        Assert.NotEmpty(linears);
        foreach (var linear in linears.Select(key => key[..^2]))
        {
            using var result = SparseGpt.Prune(
                model.View($"{linear}.weight"), golden.View($"{linear}.H"), new SparseGptOptions(0.5), linear);
            AssertSame(golden.View($"{linear}.weight"), result.Weight);
        }
    }

    /// <summary>All linears of a block from the same run of it, then the next block on what the pruned one puts out.</summary>
    [Fact]
    public void Prunes_a_whole_model_as_the_reference_does()
    {
        using var model = CausalFolder.Load(Golden.Path("models/llama-tiny-trained"), CPU, ScalarType.Float32);
        using var golden = SafetensorsFile.Open(Golden.Path("prune/llama-tiny-trained/ist_sparsegpt_0.5.safetensors"));
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var hidden = model.Embed(Golden.Tokens("calib"));
        var rope = model.Positions(hidden.shape[1]);

        foreach (var block in model.Blocks)
        {
            var hessians = new Dictionary<string, Tensor>();
            block.Observe(hidden, rope, new InputHook((linear, input) =>
            {
                var x = input.to(ScalarType.Float64).view(-1, input.shape[2]);
                hessians[linear.Name] = (x.t().matmul(x) * 2 / input.shape[0]).DetachFromDisposeScope();
            }));
            foreach (var linear in block.Linears)
            {
                using var hessian = hessians[linear.Name];
                var result = SparseGpt.Prune(linear.Weight, hessian, new SparseGptOptions(0.5), linear.Name);
                AssertSame(golden.View($"{linear.Name}.weight"), result.Weight);
                linear.SetWeight(result.Weight);
            }

            hidden = block.Forward(hidden, rope);
        }

        Assert.Equal(1, Golden.Perplexity(model, 64) / 8.102327, 1e-4);
    }

    /// <summary>
    /// W = [1 2], H = [[2 1] [1 2]], one weight of two goes. H⁻¹ = [[2 −1] [−1 2]]/3 = UᵀU with U = [[√(2/3) −√(1/6)] [0 √½]].
    /// Scores 1/(2/3) and 4/½: the first goes, e = 1/√(2/3), and the second becomes 2 + e/√6 = 2.5.
    /// </summary>
    [Fact]
    public void Gives_what_is_worked_out_by_hand()
    {
        using var weight = tensor([1f, 2f], [1, 2]);
        using var hessian = tensor([2.0, 1.0, 1.0, 2.0], [2, 2]);

        using var factor = InverseFactor.Of(hessian, damping: 0, "a");
        using var result = SparseGpt.Prune(weight, factor, new SparseGptOptions(0.5, Cut: MagnitudeCut.Exact), "a");

        Assert.Equal([0.8164966f, -0.4082483f, 0, 0.7071068f], factor.Upper.data<float>().ToArray(), Near);
        Assert.Equal([0, 2.5f], result.Weight.data<float>().ToArray(), Near);
        Assert.Equal(0.75, result.Error, 1e-5);
        Assert.Equal([1f, 2f], weight.data<float>().ToArray());
    }

    [Theory]
    [InlineData("none", 100)]
    [InlineData("2:4", 100)]
    [InlineData("1:4", 7)]
    public void Rows_and_columns_first_come_to_the_same(string pattern, int block)
    {
        using var scope = NewDisposeScope();
        var (weight, hessian) = Problem(48, 300);
        var options = new SparseGptOptions(0.6, SparsityPattern.Parse(pattern), block);
        using var factor = InverseFactor.Of(hessian, options.Damping, "a");
        var width = options.Width(300, "a");
        var (byRows, byColumns) = (weight.clone(), weight.clone());

        var rowError = SparseGpt.Sweep(byRows, factor.Upper, options, width, new SparseGptRows(options.Pattern));
        var columnError = SparseGpt.Sweep(byColumns, factor.Upper, options, width, new SparseGptColumns(options.Pattern));

        AssertSame(byColumns, byRows);
        Assert.Equal(1, rowError / columnError, 1e-4);
    }

    [Fact]
    public void Moves_no_weight_that_stays_when_inputs_are_uncorrelated()
    {
        using var scope = NewDisposeScope();
        var weight = randn(16, 96, generator: new Generator(3));

        using var result = SparseGpt.Prune(weight, eye(96) * 7, new SparseGptOptions(0.5, BlockSize: 32), "a");

        var kept = result.Weight.ne(0);
        Assert.True(result.Weight.allclose(weight * kept, rtol: 1e-6));
        for (var first = 0; first < 96; first += 32)
        {
            var mask = MagnitudePrune.Mask(weight.narrow(1, first, 32).abs(), 0.5, MagnitudeCut.Released);
            Assert.True(kept.narrow(1, first, 32).eq(mask.logical_not()).all().ToBoolean());
        }
    }

    [Fact]
    public void Disturbs_the_output_less_than_zeroing_the_same_number_by_magnitude()
    {
        using var scope = NewDisposeScope();
        var (weight, hessian) = Problem(32, 128);
        using var result = SparseGpt.Prune(weight, hessian, new SparseGptOptions(0.5, Cut: MagnitudeCut.Exact), "a");
        var byMagnitude = weight.masked_fill(SmallestScores.Overall(weight.abs(), weight.numel() / 2), 0);

        Assert.Equal(weight.numel() / 2, Zeros(result.Weight));
        Assert.InRange(Moved(result.Weight) / Moved(byMagnitude), 0, 0.7);

        double Moved(Tensor pruned)
        {
            var change = (pruned - weight).to(ScalarType.Float64);
            return change.matmul(hessian).mul(change).sum().ToDouble();
        }
    }

    [Theory]
    [InlineData(MagnitudeCut.Exact, 96)]
    [InlineData(MagnitudeCut.Released, 192)]
    public void Equal_scores_go_in_order_when_the_count_is_exact(MagnitudeCut cut, int zeros)
    {
        using var scope = NewDisposeScope();

        using var result = SparseGpt.Prune(ones(6, 32), eye(32), new SparseGptOptions(0.5, Cut: cut), "a");

        Assert.Equal(zeros, Zeros(result.Weight));
        Assert.Equal(0, result.Weight[0].abs().sum().ToDouble());
    }

    [Fact]
    public void Keeps_the_weights_dtype_and_drops_dead_inputs()
    {
        using var scope = NewDisposeScope();
        var (weight, hessian) = Problem(8, 16);
        hessian.narrow(0, 3, 1).zero_();
        hessian.narrow(1, 3, 1).zero_();

        using var result = SparseGpt.Prune(weight.to(ScalarType.BFloat16), hessian, new SparseGptOptions(0.25), "a");

        Assert.Equal(ScalarType.BFloat16, result.Weight.dtype);
        Assert.Equal(8, result.Weight.narrow(1, 3, 1).eq(0).sum().ToInt64());
    }

    [Fact]
    public void Raises_the_damping_where_the_hessian_is_not_definite()
    {
        using var scope = NewDisposeScope();
        // Rank 1, and by rounding a little less than that.
        var direction = arange(1, 33, dtype: ScalarType.Float64);
        var hessian = direction.outer(direction) - eye(32, dtype: ScalarType.Float64) * 1e-3;

        using var result = SparseGpt.Prune(randn(4, 32, generator: new Generator(1)), hessian, new SparseGptOptions(0.5, Damping: 0), "a");

        Assert.Equal(1e-3, result.Damping);
        Assert.True(result.Weight.isfinite().all().ToBoolean());
    }

    [Fact]
    public void Says_what_is_wrong_with_a_hessian_that_nothing_helps()
    {
        using var scope = NewDisposeScope();
        var weight = ones(4, 8);
        var indefinite = eye(8) * 1e-3;
        indefinite[0, 1] = 5;
        indefinite[1, 0] = 5;

        var hopeless = Assert.Throws<StageException>(() => SparseGpt.Prune(weight, indefinite, new(0.5), "layers.0.q"));
        var infinite = Assert.Throws<StageException>(() => SparseGpt.Prune(weight, eye(8) / 0, new(0.5), "layers.0.q"));
        var narrow = Assert.Throws<StageException>(
            () => SparseGpt.Prune(ones(4, 6), eye(6), new(0.5, new SparsityPattern(2, 4)), "layers.0.q"));
        var broken = Assert.Throws<StageException>(() => SparseGpt.Prune(weight / 0, eye(8), new(0.5), "layers.0.q"));

        Assert.StartsWith("layers.0.q: its input's XᵀX", hopeless.Message, StringComparison.Ordinal);
        Assert.Contains("no Cholesky factor", hopeless.Message, StringComparison.Ordinal);
        Assert.Contains("not finite", infinite.Message, StringComparison.Ordinal);
        Assert.Equal("layers.0.q has 6 inputs, no multiple of 4: 2:4 does not fit it", narrow.Message);
        Assert.Equal("layers.0.q: its weights hold NaN or infinity", broken.Message);
    }

    [Theory]
    [InlineData(MagnitudeCut.Exact, 0.37)]
    [InlineData(MagnitudeCut.Released, 0.37)]
    [InlineData(MagnitudeCut.Exact, 0.999)]
    [InlineData(MagnitudeCut.Released, 0)]
    public void Selects_what_the_general_selection_selects(MagnitudeCut cut, double sparsity)
    {
        using var scope = NewDisposeScope();
        // Of many equals, and over many orders of magnitude.
        var scores = cat([randn(40, 30, generator: new Generator(5)).square().pow(6), randint(5, [40, 30]).to(ScalarType.Float32)]);

        Assert.True(ScoreSelection.Mask(scores, sparsity, cut).equal(MagnitudePrune.Mask(scores, sparsity, cut)).all().ToBoolean());
    }

    private static (Tensor Weight, Tensor Hessian) Problem(long rows, long columns)
    {
        var generator = new Generator(11);
        // As activations are: a few directions carry most of them.
        var common = randn(4 * columns, columns / 4, generator: generator).matmul(randn(columns / 4, columns, generator: generator));
        var inputs = (common / Math.Sqrt(columns) + 0.3 * randn(4 * columns, columns, generator: generator)).to(ScalarType.Float64);
        return (randn(rows, columns, generator: generator), inputs.t().matmul(inputs) / 16);
    }

    /// <summary>The golden set's own measure: the same zeros, and weights within 1e-4 of the largest.</summary>
    private static void AssertSame(Tensor expected, Tensor actual)
    {
        Assert.Equal(0, expected.eq(0).ne(actual.eq(0)).sum().ToInt64());
        Assert.InRange(((expected - actual).abs().max() / expected.abs().max()).ToDouble(), 0, 1e-4);
    }

    private static bool Near(float a, float b) => Math.Abs(a - b) < 1e-5;

    private static long Zeros(Tensor weight) => weight.eq(0).sum().ToInt64();
}
