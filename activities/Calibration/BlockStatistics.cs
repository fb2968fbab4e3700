using Pipelines.Models;
using Pipelines.Torch;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// Gathers what a plan asks for of one block, in double precision. Linears that read the same tensor share what is
/// gathered of it.
/// </summary>
public sealed class BlockStatistics(DecoderBlock block, StatisticsPlan plan) : SumHook
{
    private readonly SharedInputs<InputMoments> moments =
        new(() => new InputMoments(plan.Has(StatisticKinds.Moments & ~StatisticKinds.MeanSquare)));

    private readonly SharedInputs<Gram> grams = new(() => new Gram(exact: true));
    private readonly Dictionary<string, Tensor> heads = [];
    private double cosines;
    private long tokens;

    /// <summary>Linears whose Gram matrix is under the name of another, which reads the same.</summary>
    public IReadOnlyDictionary<string, string> Shared =>
        grams.Groups.SelectMany(group => group.Skip(1).Select(linear => (linear, group.First()))).ToDictionary();

    /// <summary>Whether it must see what linears make, and not only what they read.</summary>
    public bool SeesOutputs => plan.Has(StatisticKinds.Heads);

    public override Tensor Before(Linear linear, Tensor input) => Show(linear, input, moments, grams);

    public override LinearHook Begin(InTurn turn) => new Part(this, turn);

    public override Tensor After(Linear linear, Tensor output)
    {
        if (!plan.Has(StatisticKinds.Heads) || block.Attention is not { } attention || (linear != attention.Query && linear != attention.Key))
            return output;
        using var scope = NewDisposeScope();
        var y = Rows(output).view(output.shape[0] * output.shape[1], -1, attention.KeyDim).transpose(0, 1);
        AddTo(heads, linear.Name, y.transpose(1, 2), y);
        return output;
    }

    /// <param name="before">[B, T, hidden], what went into the block.</param>
    /// <param name="after">[B, T, hidden], what came out.</param>
    public void Pass(Tensor before, Tensor after)
    {
        using var scope = NewDisposeScope();
        var (x, y) = (Rows(before), Rows(after));
        var norms = x.square().sum([1L]).mul(y.square().sum([1L])).sqrt();
        cosines += (x * y).sum([1L]).div(norms.clamp_min(1e-30)).sum().ToDouble();
        tokens += x.shape[0];
    }

    /// <summary>Under their names in a statistics file; they live as long as this does.</summary>
    /// <param name="name">The block's.</param>
    /// <exception cref="StageException">One of them is no number.</exception>
    public IReadOnlyList<(string Name, Tensor Tensor)> Finish(string name)
    {
        var all = new List<(string Name, Tensor Tensor)>();
        foreach (var linear in block.Linears.Where(linear => plan.Has(StatisticKinds.Moments) && plan.Reads(block, linear)))
            all.AddRange(Moments(linear.Name, moments[linear.Name]));
        all.AddRange(grams.Groups.Select(group => ($"{group.First()}.gram", group.Key.Sum())));
        all.AddRange(heads.Select(one => ($"{one.Key}.heads", one.Value)));
        if (plan.Has(StatisticKinds.Influence))
            all.Add(($"{name}.influence", tensor(new[] { 1 - cosines / tokens })));
        using var scope = NewDisposeScope();
        foreach (var (statistic, value) in all)
        {
            if (!value.isfinite().all().ToBoolean())
                throw new StageException($"{statistic} is not finite: the model or its activations hold NaN or infinity");
        }

        return all;
    }

    public override void Dispose()
    {
        moments.Dispose();
        grams.Dispose();
        foreach (var tensor in heads.Values)
            tensor.Dispose();
    }

    private Tensor Show(Linear linear, Tensor input, LinearHook toMoments, LinearHook toGrams)
    {
        if (!plan.Reads(block, linear))
            return input;
        if (plan.Has(StatisticKinds.Moments))
            toMoments.Before(linear, input);
        if (plan.Has(StatisticKinds.Gram))
            toGrams.Before(linear, input);
        return input;
    }

    private IEnumerable<(string Name, Tensor Tensor)> Moments(string linear, InputMoments own)
    {
        if (plan.Has(StatisticKinds.Mean))
            yield return ($"{linear}.mean", own.Mean);
        if (plan.Has(StatisticKinds.MeanSquare))
            yield return ($"{linear}.mean_square", own.MeanSquare);
        if (plan.Has(StatisticKinds.Fluctuation))
            yield return ($"{linear}.fluctuation", own.Fluctuation);
        if (plan.Has(StatisticKinds.Variance))
            yield return ($"{linear}.variance", own.Variance());
    }

    private static void AddTo(Dictionary<string, Tensor> all, string name, Tensor left, Tensor right)
    {
        if (!all.TryGetValue(name, out var sum))
            all[name] = left.matmul(right).DetachFromDisposeScope();
        else
            sum.add_(left.matmul(right));
    }

    private static Tensor Rows(Tensor x) => x.reshape(-1, x.shape[^1]).to(ScalarType.Float64);

    private sealed class Part(BlockStatistics whole, InTurn turn) : LinearHook
    {
        private readonly LinearHook moments = whole.moments.Begin(turn);
        private readonly LinearHook grams = whole.grams.Begin(turn);

        public override Tensor Before(Linear linear, Tensor input) => whole.Show(linear, input, moments, grams);
    }
}
