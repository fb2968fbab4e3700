using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// Statistics of one linear's input [B, T, in], gathered one sequence after another, in double precision.
/// </summary>
/// <remarks>
/// Every sequence counts the same, however many tokens it has, as in the released code of Wanda and FLAP.
/// </remarks>
public sealed class InputMoments : InputSum
{
    private readonly bool spread;
    private Tensor? mean;
    private Tensor? meanSquare;
    private Tensor? fluctuation;
    private Tensor? sum;
    private Tensor? sumSquare;

    /// <param name="spread">Whether mean and spread are wanted too, or only the mean square.</param>
    public InputMoments(bool spread) => this.spread = spread;

    public long Sequences { get; private set; }

    public long Tokens { get; private set; }

    /// <summary>[in]: the mean over sequences of Σ_t x². Its square root is Wanda's input norm, up to a constant.</summary>
    public Tensor MeanSquare => meanSquare ?? throw Empty();

    /// <summary>[in]: the mean over sequences of the mean over tokens.</summary>
    public Tensor Mean => mean ?? throw Empty();

    /// <summary>
    /// [in]: FLAP's fluctuation as released: each sequence adds Σ_t (x − m)² with m the mean up to and including it;
    /// the first adds nothing; scaled by (n − 2)/(n − 1) and 1/n on the way.
    /// </summary>
    public Tensor Fluctuation => fluctuation ?? throw Empty();

    /// <summary>[in]: the variance over all tokens.</summary>
    public Tensor Variance()
    {
        if (sum is null || sumSquare is null)
            throw Empty();
        using var scope = NewDisposeScope();
        var average = sum / (double)Tokens;
        return (sumSquare / (double)Tokens - average.square()).clamp_min(0).MoveToOuterDisposeScope();
    }

    public override IEnumerable<InputPart> Measure(Tensor input)
    {
        using var scope = NewDisposeScope();
        var length = input.shape[1];
        var sequences = Enumerable.Range(0, (int)input.shape[0]).Select(i => TokenSums.Of(input[i])).ToArray();
        return [new InputPart(() => Add(sequences, length), sequences.SelectMany(one => new[] { one.Sum, one.Square }))];
    }

    public override void Dispose()
    {
        foreach (var tensor in new[] { mean, meanSquare, fluctuation, sum, sumSquare })
            tensor?.Dispose();
    }

    private void Add(IEnumerable<(Tensor Sum, Tensor Square)> sequences, long length)
    {
        using var scope = NewDisposeScope();
        foreach (var (total, square) in sequences)
        {
            Start(square.shape[0], square.device);
            if (spread)
                AddSpread(total, square, length);
            AddSquare(square);
            Tokens += length;
        }
    }

    private void AddSquare(Tensor square)
    {
        meanSquare!.mul_(Sequences / (Sequences + 1.0)).add_(square / (Sequences + 1.0));
        Sequences++;
    }

    private void AddSpread(Tensor total, Tensor square, long length)
    {
        double n = Sequences;
        mean!.mul_(n / (n + 1)).add_(total / (length * (n + 1)));
        if (Sequences > 0)
        {
            // Σ(x − m)² = Σx² − 2mΣx + Tm²
            var moved = square - mean * total * 2 + mean.square() * length;
            fluctuation!.mul_((n - 1) / n).add_(moved / (n + 1));
        }

        sum!.add_(total);
        sumSquare!.add_(square);
    }

    private void Start(long width, Device device)
    {
        if (meanSquare is not null)
            return;
        meanSquare = Zeros();
        if (spread)
            (mean, fluctuation, sum, sumSquare) = (Zeros(), Zeros(), Zeros(), Zeros());

        Tensor Zeros() => zeros(width, dtype: ScalarType.Float64, device: device).DetachFromDisposeScope();
    }

    private static InvalidOperationException Empty() => new("no sequence was added, or this statistic was not asked for");
}
