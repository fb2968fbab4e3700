using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Allocation;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Data;

/// <summary>
/// Images whose classes are shapes and textures in colours, places and sizes of their own, with noise: something to learn
/// for machines that have nothing.
/// </summary>
[Description("Makes labelled images of shapes and textures, and a second set to evaluate on")]
public sealed class SyntheticImages : Activity<None, SyntheticImages.Parameters, SyntheticImages.Outputs>
{
    // Whether a point is in the figure: coordinates from its middle in units of its size, |x|, |y| < 1 about it.
    private static readonly (string Name, Func<double, double, bool> Inside)[] Figures =
    [
        ("disc", (x, y) => x * x + y * y < 1),
        ("columns", (x, _) => Wave(x) > 0),
        ("cross", (x, y) => Math.Min(Math.Abs(x), Math.Abs(y)) < 0.3 && Math.Max(Math.Abs(x), Math.Abs(y)) < 1),
        ("rows", (_, y) => Wave(y) > 0),
        ("ring", (x, y) => x * x + y * y is > 0.36 and < 1),
        ("checks", (x, y) => Wave(x) * Wave(y) > 0),
        ("triangle", (x, y) => y < 0.8 && Math.Abs(x) < (y + 1) * 0.55),
        ("slopes", (x, y) => Wave((x + y) * 0.8) > 0),
        ("square", (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) < 0.9),
        ("dots", (x, y) => Wave(x) > 0.3 && Wave(y) > 0.3),
    ];

    public sealed record Parameters(
        [property: Range(2, 10), Description("Classes")] int Classes = 10,
        [property: Range(1, 1_000_000), Description("Images of each class to train on")] int PerClass = 500,
        [property: Range(1, 1_000_000), Description("Images of each class to evaluate on")] int EvaluationPerClass = 100,
        [property: Range(8, 512), Description("Width and height")] int Size = 32,
        [property: Range(0.0, 1.0), Description("Standard deviation of the noise, as a share of the brightest")] double Noise = 0.1,
        [property: Description("Of both sets")] long Seed = 0);

    public sealed record Outputs(Images Images, Images Evaluation);

    public override string Kind => "data.synthetic-images";

    public override async Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var all = (parameters.PerClass + parameters.EvaluationPerClass) * parameters.Classes;
        return new Outputs(
            await SaveAsync("synthetic images", parameters.PerClass, 0, 0),
            await SaveAsync("synthetic evaluation images", parameters.EvaluationPerClass, 1, parameters.PerClass * parameters.Classes));

        async Task<Images> SaveAsync(string origin, int each, ulong stream, int before)
        {
            using var images = Make(origin, each, parameters, stream, done => stage.Report(before + done, all, "image"), cancellation);
            return await ImageFolder.SaveAsync(stage.Artifacts, images, cancellation);
        }
    }

    /// <summary>Classes in turn: the first image of each, then the second.</summary>
    /// <param name="stream">Of the random numbers: two sets of one seed share no image.</param>
    public static ImageSet Make(
        string origin, int each, Parameters parameters, ulong stream, Action<int>? report = null, CancellationToken cancellation = default)
    {
        var (size, classes) = (parameters.Size, parameters.Classes);
        var pixels = empty([each * classes, 3, size, size], ScalarType.Byte);
        for (var row = 0; row < each * classes; row++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var place = pixels.narrow(0, row, 1);
            Draw(place.bytes, row % classes, size, parameters.Noise, new SplitMix((ulong)parameters.Seed, ((ulong)row << 1) | stream));
            report?.Invoke(row + 1);
        }

        var labels = arange(each * classes, dtype: ScalarType.Int64).remainder(classes);
        return ImageSet.Of(pixels, labels, origin, [.. Figures.Take(classes).Select(figure => figure.Name)]);
    }

    private static void Draw(Span<byte> pixels, int label, int size, double noise, SplitMix random)
    {
        var radius = size * (0.25 + 0.2 * random.Share());
        var (left, top) = (size * (0.35 + 0.3 * random.Share()), size * (0.35 + 0.3 * random.Share()));
        Span<double> ground = [random.Share(), random.Share(), random.Share()];
        Span<double> ink = [random.Share(), random.Share(), random.Share()];
        // Told apart in one channel at least.
        var clear = random.Below(3);
        ink[clear] = ground[clear] < 0.5 ? ground[clear] + 0.5 : ground[clear] - 0.5;
        for (var at = 0; at < size * size; at++)
        {
            var inside = Figures[label].Inside((at % size - left) / radius, (at / size - top) / radius);
            for (var channel = 0; channel < 3; channel++)
            {
                // The sum of four uniform numbers has a variance of a third, and is near enough to a bell.
                var error = (random.Share() + random.Share() + random.Share() + random.Share() - 2) * Math.Sqrt(3) * noise;
                pixels[channel * size * size + at] = (byte)Math.Clamp(255 * ((inside ? ink : ground)[channel] + error), 0, 255);
            }
        }
    }

    private static double Wave(double at) => Math.Sin(at * 6);
}
