namespace Pipelines.Activities.Pruning;

/// <summary>The exchanges within one row.</summary>
internal readonly ref struct DsnotRow
{
    private readonly ReadOnlySpan<float> weights;
    private readonly Span<bool> mask;
    private readonly Dsnot.Inputs inputs;
    private readonly bool[] taken;

    /// <param name="weights">[in].</param>
    /// <param name="mask">[in], true where pruned; changes.</param>
    public DsnotRow(ReadOnlySpan<float> weights, Span<bool> mask, Dsnot.Inputs inputs)
    {
        this.weights = weights;
        this.mask = mask;
        this.inputs = inputs;
        taken = new bool[weights.Length];
    }

    public void Run(DsnotOptions options)
    {
        var error = Error();
        for (var cycle = 0; cycle < options.Cycles && Math.Abs(error) > options.Threshold; cycle++)
        {
            var grown = Grow(Math.Sign(error));
            var pruned = Prune(Math.Sign(error));
            if (pruned < 0 && options.Formula == DsnotFormula.Released)
                pruned = PruneAgainstTheSign();
            if (grown < 0 || pruned < 0)
                return;
            error = Exchange(grown, pruned, error);
        }
    }

    /// <summary>
    /// With N:M the group of what is taken back decides what may go: its kept weight of lowest score. As released, an exchange
    /// that would turn ε's sign is not made; otherwise one that would not bring ε nearer to zero. Its candidate is passed over.
    /// </summary>
    public void RunWithin(int group, DsnotOptions options)
    {
        var error = Error();
        for (var cycle = 0; cycle < options.Cycles && Math.Abs(error) > options.Threshold; cycle++)
        {
            var grown = Grow(Math.Sign(error));
            if (grown < 0)
                return;
            var first = grown - grown % group;
            var pruned = Lowest(first, first + group);
            if (pruned >= 0 && Accepts(error, error + Contribution(pruned) - Contribution(grown), options.Formula))
                error = Exchange(grown, pruned, error);
            else
                taken[grown] = true;
        }
    }

    private double Error()
    {
        var error = 0.0;
        for (var i = 0; i < weights.Length; i++)
            error += mask[i] ? Contribution(i) : 0;
        return error;
    }

    private static bool Accepts(double before, double after, DsnotFormula formula) => formula == DsnotFormula.Released
        ? Math.Sign(after) == Math.Sign(before)
        : Math.Abs(after) < Math.Abs(before);

    private double Contribution(int index) => weights[index] * inputs.Sum[index];

    private double Score(int index) => Math.Abs(weights[index]) * inputs.Norm[index];

    private double Exchange(int grown, int pruned, double error)
    {
        (mask[grown], mask[pruned]) = (false, true);
        taken[grown] = taken[pruned] = true;
        return error + Contribution(pruned) - Contribution(grown);
    }

    /// <summary>The pruned weight whose contribution, steady inputs first, is most of the error's sign; −1 for none.</summary>
    private int Grow(int sign)
    {
        var (best, most) = (-1, double.NegativeInfinity);
        for (var i = 0; i < weights.Length; i++)
        {
            if (!mask[i] || taken[i])
                continue;
            var gain = sign * Contribution(i) * inputs.Steadiness[i];
            if (gain > most)
                (best, most) = (i, gain);
        }

        return best;
    }

    /// <summary>The kept weight of lowest score among those whose contribution has the other sign; −1 for none.</summary>
    private int Prune(int sign)
    {
        var (best, least) = (-1, double.PositiveInfinity);
        for (var i = 0; i < weights.Length; i++)
        {
            if (!mask[i] && !taken[i] && sign * Contribution(i) < 0 && Score(i) < least)
                (best, least) = (i, Score(i));
        }

        return best;
    }

    /// <remarks>
    /// The released code keeps one list, sorted by score with the contribution's sign: who runs out of it on one side goes on
    /// from the other end.
    /// </remarks>
    private int PruneAgainstTheSign()
    {
        var (best, most) = (-1, double.NegativeInfinity);
        for (var i = 0; i < weights.Length; i++)
        {
            if (!mask[i] && !taken[i] && Score(i) > most)
                (best, most) = (i, Score(i));
        }

        return best;
    }

    private int Lowest(int from, int to)
    {
        var (best, least) = (-1, double.PositiveInfinity);
        for (var i = from; i < to; i++)
        {
            if (!mask[i] && !taken[i] && Score(i) < least)
                (best, least) = (i, Score(i));
        }

        return best;
    }
}
