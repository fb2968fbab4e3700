using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>
/// A support vector machine of two classes with Gauss's kernel, <c>exp(−γ ‖x − z‖²)</c>, and the cost C of every error (Cortes
/// and Vapnik, 1995). Solved to a tolerance by sequential minimal optimization, with working sets of second order (Fan, Chen
/// and Lin, JMLR 2005), so that the same points give the same machine.
/// </summary>
public sealed class SupportVectors
{
    private const double Flat = 1e-12;
    private const int MostSteps = 20_000_000;

    private readonly double[][] points;
    private readonly double[] weights;
    private readonly double gamma;

    private SupportVectors(double[][] points, double[] weights, double offset, double gamma) =>
        (this.points, this.weights, Offset, this.gamma) = (points, weights, offset, gamma);

    /// <summary>What is added to the sum over the support vectors.</summary>
    public double Offset { get; }

    public IReadOnlyList<double[]> Points => points;

    /// <summary>Of each support vector: its multiplier, negative for those of the other class.</summary>
    public IReadOnlyList<double> Weights => weights;

    /// <summary>Positive where the machine says: of the first class.</summary>
    public double Decide(ReadOnlySpan<double> point)
    {
        var sum = Offset;
        for (var i = 0; i < points.Length; i++)
            sum += weights[i] * Kernel(points[i], point, gamma);
        return sum;
    }

    /// <param name="points">All of one length.</param>
    /// <param name="isFirst">Of each point: whether it is of the first class.</param>
    /// <param name="cost">C: the most that a multiplier may be.</param>
    /// <param name="tolerance">By how much the conditions of the optimum may be missed.</param>
    /// <exception cref="StageException">One of the classes has no point, or there is no end to it.</exception>
    public static SupportVectors Train(
        IReadOnlyList<double[]> points, IReadOnlyList<bool> isFirst, double cost, double gamma, double tolerance = 1e-3,
        CancellationToken cancellation = default)
    {
        if (!isFirst.Contains(true) || !isFirst.Contains(false))
            throw new StageException("two classes are to be told apart, but one of them has no example");

        // Equal points of one class are one with as many times the cost: answers repeat, most of all 'right' and 'wrong'.
        var distinct = points.Zip(isFirst, (point, first) => (Point: point, First: first))
            .GroupBy(one => (string.Join(' ', one.Point.Select(value => BitConverter.DoubleToInt64Bits(value))), one.First))
            .Select(group => (group.First().Point, group.Key.First, Count: group.Count())).ToArray();
        var solver = new Solver(
            [.. distinct.Select(one => one.Point)], [.. distinct.Select(one => one.First ? 1.0 : -1.0)],
            [.. distinct.Select(one => one.Count * cost)], gamma);
        for (var step = 0; solver.Step(tolerance); step++)
        {
            if (step % 1024 == 0)
                cancellation.ThrowIfCancellationRequested();
            if (step == MostSteps)
                throw new StageException($"the support vector machine is not done after {MostSteps:N0} steps: measure on fewer images");
        }

        return solver.Machine();
    }

    private static double Kernel(ReadOnlySpan<double> one, ReadOnlySpan<double> other, double gamma)
    {
        var distance = 0.0;
        for (var i = 0; i < one.Length; i++)
            distance += (one[i] - other[i]) * (one[i] - other[i]);
        return Math.Exp(-gamma * distance);
    }

    /// <summary>Minimizes <c>½ αᵀQα − Σα</c> with <c>0 ≤ α ≤ limits</c> and <c>Σ y α = 0</c>, <c>Q_ij = y_i y_j K_ij</c>, two at a time.</summary>
    private sealed class Solver(double[][] points, double[] signs, double[] limits, double gamma)
    {
        private const long CachedValues = 32 << 20;

        private readonly double[] alpha = new double[points.Length];

        // Of the objective: Qα − 1.
        private readonly double[] slope = [.. Enumerable.Repeat(-1.0, points.Length)];
        private readonly Dictionary<int, double[]> rows = [];
        private readonly Queue<int> kept = new();

        /// <returns>False where the optimum is reached.</returns>
        public bool Step(double tolerance)
        {
            var first = -1;
            var highest = double.NegativeInfinity;
            for (var t = 0; t < alpha.Length; t++)
            {
                if (MayRise(t) && -signs[t] * slope[t] > highest)
                    (first, highest) = (t, -signs[t] * slope[t]);
            }

            var row = first < 0 ? [] : Row(first);
            var second = -1;
            var (lowest, best) = (double.PositiveInfinity, double.PositiveInfinity);
            for (var t = 0; t < alpha.Length && first >= 0; t++)
            {
                if (!MayFall(t))
                    continue;
                var value = -signs[t] * slope[t];
                lowest = Math.Min(lowest, value);
                var gap = highest - value;
                // K_ii = 1 for every i.
                var gain = -gap * gap / Math.Max(2 - 2 * row[t], Flat);
                if (gap > 0 && gain < best)
                    (second, best) = (t, gain);
            }

            if (second < 0 || highest - lowest < tolerance)
                return false;
            Move(first, second, row, Row(second));
            return true;
        }

        public SupportVectors Machine()
        {
            var chosen = Enumerable.Range(0, alpha.Length).Where(i => alpha[i] > 0).ToArray();
            return new SupportVectors(
                [.. chosen.Select(i => points[i])], [.. chosen.Select(i => alpha[i] * signs[i])], Offset(), gamma);
        }

        /// <summary>Along the line that keeps <c>Σ y α</c>, to the optimum or the nearest limit.</summary>
        private void Move(int i, int j, double[] rowI, double[] rowJ)
        {
            // α_i y_i rises by the step, α_j y_j falls by it.
            var step = (-signs[i] * slope[i] + signs[j] * slope[j]) / Math.Max(2 - 2 * rowI[j], Flat);
            step = Math.Min(step, signs[i] > 0 ? limits[i] - alpha[i] : alpha[i]);
            step = Math.Min(step, signs[j] > 0 ? alpha[j] : limits[j] - alpha[j]);
            var (oldI, oldJ) = (alpha[i], alpha[j]);
            alpha[i] = Bounded(i, oldI + signs[i] * step);
            alpha[j] = Bounded(j, oldJ - signs[j] * step);
            var (changeI, changeJ) = ((alpha[i] - oldI) * signs[i], (alpha[j] - oldJ) * signs[j]);
            for (var t = 0; t < slope.Length; t++)
                slope[t] += signs[t] * (rowI[t] * changeI + rowJ[t] * changeJ);
        }

        // What is a rounding away from a limit is on it, or its point would be taken again and again.
        private double Bounded(int i, double value) =>
            value < limits[i] * 1e-12 ? 0 : value > limits[i] * (1 - 1e-12) ? limits[i] : value;

        private bool MayRise(int t) => signs[t] > 0 ? alpha[t] < limits[t] : alpha[t] > 0;

        private bool MayFall(int t) => signs[t] > 0 ? alpha[t] > 0 : alpha[t] < limits[t];

        /// <summary>Where the points between the limits lie on the margin; without any, the middle of what is allowed.</summary>
        private double Offset()
        {
            var (sum, free) = (0.0, 0);
            var (low, high) = (double.NegativeInfinity, double.PositiveInfinity);
            for (var t = 0; t < alpha.Length; t++)
            {
                var value = -signs[t] * slope[t];
                if (alpha[t] > 0 && alpha[t] < limits[t])
                    (sum, free) = (sum + value, free + 1);
                else if (MayRise(t))
                    low = Math.Max(low, value);
                else
                    high = Math.Min(high, value);
            }

            return free > 0 ? sum / free : (low + high) / 2;
        }

        private double[] Row(int i)
        {
            if (rows.TryGetValue(i, out var row))
                return row;
            if ((rows.Count + 1L) * points.Length > CachedValues && kept.Count > 1)
                rows.Remove(kept.Dequeue());
            row = new double[points.Length];
            var point = points[i];
            for (var t = 0; t < row.Length; t++)
                row[t] = Kernel(point, points[t], gamma);
            rows[i] = row;
            kept.Enqueue(i);
            return row;
        }
    }
}
