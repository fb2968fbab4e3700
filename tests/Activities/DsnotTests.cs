using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

public sealed class DsnotTests
{
    /// <summary>Ten cycles from Wanda's mask at 60 %, in attention only, each block fed by the pruned ones before it.</summary>
    [Fact]
    public void Keeps_what_the_reference_keeps()
    {
        using var model = CausalFolder.Load(Golden.Path("models/llama-tiny-trained"), CPU, ScalarType.Float32);
        using var golden = SafetensorsFile.Open(Golden.Path("prune/llama-tiny-trained/dsnot_wanda_0.6.safetensors"));
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var hidden = model.Embed(Golden.Tokens("calib"));
        var rope = model.Positions(hidden.shape[1]);
        var exchanged = 0L;

        foreach (var block in model.Blocks)
        {
            var moments = block.Linears.ToDictionary(linear => linear.Name, _ => new DsnotMoments(DsnotFormula.Released));
            block.Observe(hidden, rope, new InputHook((linear, input) => moments[linear.Name].Add(input)));
            foreach (var linear in block.Linears)
            {
                var initial = WandaPrune.Mask(linear.Weight, moments[linear.Name].MeanSquare, 0.6, null, linear.Name);
                var mask = linear.Name.Contains("self_attn", StringComparison.Ordinal)
                    ? Dsnot.Refine(linear.Weight, initial, moments[linear.Name], new DsnotOptions(10), linear.Name)
                    : initial;
                var pruned = golden.View($"{linear.Name}.keep").eq(0);
                Assert.Equal(0, mask.ne(pruned).sum().ToInt64());
                exchanged += mask.ne(initial).sum().ToInt64() / 2;
                linear.SetWeight(linear.Weight.masked_fill(mask, 0));
                moments[linear.Name].Dispose();
            }

            hidden = block.Forward(hidden, rope);
        }

        Assert.InRange(exchanged, 2000, 4000);
        Assert.Equal(1, Golden.Perplexity(model, 64) / 14.384843826293945, 1e-4);
    }

    /// <summary>
    /// Σx = [1 1 1 1], Var = 1, ‖x‖ = 1; W = [5 3 −1 2], 3 and 2 pruned: ε = 5. Taken back is 3, given up −1, of the other sign:
    /// ε = 5 − 3 − 1 = 1; then 2, and none is left of the other sign: as released 5 goes, ε = 1 − 2 + 5 = 4.
    /// </summary>
    [Theory]
    [InlineData(0, DsnotFormula.Paper, new[] { false, true, false, true })]
    [InlineData(1, DsnotFormula.Paper, new[] { false, false, true, true })]
    [InlineData(9, DsnotFormula.Paper, new[] { false, false, true, true })]
    [InlineData(2, DsnotFormula.Released, new[] { true, false, true, false })]
    public void Exchanges_what_is_worked_out_by_hand(int cycles, DsnotFormula formula, bool[] expected)
    {
        using var scope = NewDisposeScope();
        using var moments = UnitMoments();
        using var weight = tensor([5f, 3f, -1f, 2f], [1, 4]);
        using var mask = tensor([false, true, false, true]).view(1, 4);

        var refined = Dsnot.Refine(weight, mask, moments, new DsnotOptions(cycles, Formula: formula), "a");

        Assert.Equal(expected, refined.data<bool>().ToArray());
        Assert.Equal([false, true, false, true], mask.data<bool>().ToArray());
    }

    [Fact]
    public void A_row_near_enough_is_left_alone()
    {
        using var scope = NewDisposeScope();
        using var moments = UnitMoments();
        using var mask = tensor([false, true, false, true]).view(1, 4);

        var refined = Dsnot.Refine(tensor([5f, 3f, -1f, 2f], [1, 4]), mask, moments, new DsnotOptions(Threshold: 5), "a");

        Assert.True(refined.eq(mask).all().ToBoolean());
    }

    [Theory]
    [InlineData("none")]
    [InlineData("2:4")]
    public void Keeps_the_count_of_every_row_and_group_and_lessens_the_error(string pattern)
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(2);
        // Sums that do not cancel: a row's error is many contributions large.
        var inputs = randn(6, 20, 128, generator: generator) + 1 + 0.3 * randn(128, generator: generator);
        using var moments = new DsnotMoments(DsnotFormula.Paper);
        moments.Add(inputs);
        var weight = randn(24, 128, generator: generator) + 0.5;
        var within = SparsityPattern.Parse(pattern);
        var initial = WandaPrune.Mask(weight, moments.MeanSquare, 0.5, within, "a");

        var refined = Dsnot.Refine(weight, initial, moments, new DsnotOptions(Pattern: within, Formula: DsnotFormula.Paper), "a");

        var group = within?.M ?? 128;
        Assert.True(refined.view(24, -1, group).sum(2).eq(group / 2).all().ToBoolean());
        Assert.True(refined.ne(initial).any().ToBoolean());
        Assert.InRange(Error(refined) / Error(initial), 0, 0.8);

        double Error(Tensor mask) => (weight * mask).to(ScalarType.Float64).mv(moments.TokenSum).abs().mean().ToDouble();
    }

    [Fact]
    public void Steadier_inputs_are_taken_back_first_unless_told_otherwise()
    {
        using var scope = NewDisposeScope();
        // Both pruned inputs sum to 4 per sequence; the second swings.
        using var moments = new DsnotMoments(DsnotFormula.Released);
        moments.Add(tensor([0f, 1.9f, 9f, -1f, 0f, 2.1f, -5f, -1f], [1, 2, 4]));
        using var mask = tensor([true, true, true, false]).view(1, 4);
        var weight = tensor([1f, 1f, 1.1f, 1f], [1, 4]);

        var steady = Dsnot.Refine(weight, mask, moments, new DsnotOptions(1), "a");
        var largest = Dsnot.Refine(weight, mask, moments, new DsnotOptions(1, Power: 0), "a");

        Assert.Equal([true, false, true, true], steady.data<bool>().ToArray());
        Assert.Equal([true, true, false, true], largest.data<bool>().ToArray());
    }

    [Fact]
    public void Its_two_variances_differ_where_sequences_do()
    {
        using var scope = NewDisposeScope();
        // Sequences 1 3 and 5 7: within each 2 (unbiased), over all (9 + 1 + 1 + 9)/4.
        var inputs = tensor([1f, 3f, 5f, 7f], [2, 2, 1]);
        using var released = new DsnotMoments(DsnotFormula.Released);
        using var paper = new DsnotMoments(DsnotFormula.Paper);
        released.Add(inputs);
        paper.Add(inputs.narrow(0, 0, 1));
        paper.Add(inputs.narrow(0, 1, 1));

        Assert.Equal(2, released.Variance.ToDouble(), 1e-12);
        Assert.Equal(5, paper.Variance.ToDouble(), 1e-12);
        Assert.Equal(8, released.TokenSum.ToDouble(), 1e-12);
        Assert.Equal(42, paper.MeanSquare.ToDouble(), 1e-12);
    }

    [Fact]
    public void Refuses_what_is_not_finite()
    {
        using var scope = NewDisposeScope();
        using var moments = UnitMoments();
        using var mask = zeros(1, 4, dtype: ScalarType.Bool);

        var error = Assert.Throws<StageException>(() => Dsnot.Refine(ones(1, 4) / 0, mask, moments, new DsnotOptions(), "q"));

        Assert.Equal("q: its weights or the statistics of its input hold NaN or infinity", error.Message);
    }

    /// <summary>Four inputs with Σx = 1, Σx² = 1 and Var = ½ each: nothing but the weights tells them apart.</summary>
    private static DsnotMoments UnitMoments()
    {
        using var scope = NewDisposeScope();
        var moments = new DsnotMoments(DsnotFormula.Released);
        moments.Add(cat([ones(1, 1, 4), zeros(1, 1, 4)], 1));
        return moments;
    }
}
