using Pipelines.Activities.Evaluation;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Explaining;

/// <summary>
/// How far maps of two networks agree, image by image: cosine, Spearman's ρ, and the overlap (intersection over union) of the
/// places that are brightest. Summed in double precision.
/// </summary>
/// <param name="top">The share of a map's places that count as its brightest.</param>
public sealed class MapSimilarity(double top)
{
    private double cosine;
    private double squares;
    private double spearman;
    private double overlap;

    public long Count { get; private set; }

    public double Cosine => cosine / Count;

    /// <summary>Of the mean <see cref="Cosine"/>; null for a single image.</summary>
    public double? StandardError => Count < 2 ? null : Math.Sqrt(Math.Max(0, squares / Count - Cosine * Cosine) / (Count - 1));

    public double Spearman => spearman / Count;

    /// <summary>By chance t / (2 − t) for a share t.</summary>
    public double Overlap => overlap / Count;

    /// <param name="first">[N, …], of as many images as <paramref name="second"/>.</param>
    /// <exception cref="StageException">A value is no number.</exception>
    public void Add(Tensor first, Tensor second)
    {
        var (a, b) = (Rows(first), Rows(second));
        foreach (var (one, other) in a.Zip(b))
            Add(one, other);
    }

    /// <summary>An image of which one has no map (all values alike, or 0) counts 0, for there is nothing to agree with.</summary>
    /// <exception cref="StageException">A value is no number.</exception>
    public void Add(double[] first, double[] second)
    {
        if (first.Concat(second).Any(value => !double.IsFinite(value)))
            throw new StageException("a value of a saliency map is no number: a model's weights or statistics hold NaN or infinity");
        var angle = Angle(first, second);
        cosine += angle;
        squares += angle * angle;
        spearman += RankCorrelation.Spearman(first, second) ?? 0;
        overlap += Shared(first, second);
        Count++;
    }

    private static double Angle(double[] first, double[] second)
    {
        var lengths = Math.Sqrt(Dot(first, first)) * Math.Sqrt(Dot(second, second));
        return lengths > 0 ? Dot(first, second) / lengths : 0;

        static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
    }

    private double Shared(double[] first, double[] second)
    {
        if (first.Max() == first.Min() || second.Max() == second.Min())
            return 0;
        var (a, b) = (Brightest(first), Brightest(second));
        var both = a.Intersect(b).Count();
        return (double)both / (a.Length + b.Length - both);
    }

    /// <summary>Of equally bright ones the first.</summary>
    private int[] Brightest(double[] map)
    {
        // 0.1 · 30 is a little over 3 in binary: what is meant is 3.
        var count = Math.Max(1, (int)Math.Ceiling(top * map.Length - 1e-9));
        return [.. Enumerable.Range(0, map.Length).OrderByDescending(place => map[place]).ThenBy(place => place).Take(count)];
    }

    private static double[][] Rows(Tensor maps)
    {
        using var scope = NewDisposeScope();
        return [.. maps.detach().to(ScalarType.Float64).cpu().flatten(1).unbind(0).Select(map => map.contiguous().data<double>().ToArray())];
    }
}
