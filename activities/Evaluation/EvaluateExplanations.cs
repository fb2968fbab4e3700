using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Pipelines.Activities.Data;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Explaining;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>
/// Whether a pruned classifier looks at the same places as the dense one. Of any pair by gradients (Simonyan et al.,
/// arXiv:1312.6034), of the class that the dense one answers; where the dense one has an explainer, also by what that says of
/// both (ISP, ECCV 2022), for which a network that was cut is brought back to its old widths by the decision that it was cut by.
/// </summary>
/// <remarks>
/// An explainer reads feature maps of the residual stream. Where only channels inside blocks went, those are all there. Where
/// the stream itself was cut, the missing ones are 0 to an explainer that has never seen them so: the distance then is of what
/// the explainer misses, too, and is to be compared among networks that lost as much of the stream.
/// </remarks>
[Description("How far a pruned image classifier looks at the same places as the dense one: saliency by gradients, and by an explainer where there is one")]
public sealed class EvaluateExplanations
    : Activity<EvaluateExplanations.Inputs, EvaluateExplanations.Parameters, EvaluateExplanations.Outputs>
{
    /// <param name="Explainer">Of the dense model.</param>
    /// <param name="Decision">What the pruned model was cut by, if anything was, for the explainer; it may have been trained since.</param>
    public sealed record Inputs(Checkpoint Dense, Checkpoint Pruned, Images Data, Explainer? Explainer, Decision? Decision);

    public sealed record Parameters(
        [property: Range(1, 10_000_000), Description("Images, at most, drawn by the seed")] int Images = 1000,
        [property: Range(1, 1024), Description("Gradients of squares of so many pixels each way are averaged; 1 for single pixels, which are noise for the most part")] int Pool = 4,
        [property: Range(0.001, 1.0), Description("The share of places that count as a map's brightest, for the overlap")] double Top = 0.2,
        [property: Range(0, 10_000), Description("Noisy copies of an image that gradients are averaged over (SmoothGrad); 0 for the image itself")] int Samples = 0,
        [property: Range(0.0, 1.0), Description("Their noise, as a share of the image's range")] double Noise = 0.15,
        [property: Range(1, 65536), Description("Images that are run together; does not change the result")] int Batch = 250,
        [property: Description("Of the choice of images, and of noise")] long Seed = 0);

    public sealed record Outputs(ExplanationSimilarity Similarity);

    public override string Kind => "evaluate.explanations";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        if (inputs.Decision is not null && inputs.Explainer is null)
            throw new StageException("the decision brings the pruned model back to its old widths for an explainer: connect 'explainer', or leave it away");
        using var all = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Data, cancellation);
        using var dense = await stage.LoadClassifierAsync(inputs.Dense, cancellation);
        using var pruned = await stage.LoadClassifierAsync(inputs.Pruned, cancellation);
        Check(dense, pruned, all, parameters);
        using var explained = inputs.Explainer is null ? null : await stage.OpenExplainerAsync(inputs.Explainer, dense, inputs.Dense, cancellation);
        var decision = inputs.Decision is null ? null : await stage.OpenDecisionAsync(inputs.Decision, inputs.Dense, cancellation);
        using var whole = explained is null ? null : await stage.LoadClassifierAsync(inputs.Dense, cancellation);
        if (whole is not null)
            Restore(whole, pruned, decision);
        using var images = Chosen(all, parameters);
        var of = $"dense={Protocol.Short(inputs.Dense.Hash)}:images={Protocol.Short(inputs.Data.Hash)}:count={images.Count}"
            + (images.Count < all.Count ? $"-{parameters.Seed}" : "");
        var top = parameters.Top.ToString(CultureInfo.InvariantCulture);
        var radial = explained is null ? null : Radial(
            $"radial-1:explainer={Protocol.Short(inputs.Explainer!.Hash)}:{of}:class=label:top={top}",
            explained, dense, whole!, images, parameters, cancellation);
        var (same, maps) = Gradients(dense, pruned, images, parameters, stage, cancellation);
        var smooth = parameters.Samples == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $":smooth={parameters.Samples}x{parameters.Noise}-{parameters.Seed}");
        return new Outputs(new ExplanationSimilarity(
            $"explanations-1:{of}:class=dense:map=gradient{smooth}:pool={parameters.Pool}:top={top}",
            maps.Count, same, maps.Cosine, maps.StandardError, maps.Spearman, maps.Overlap, radial));
    }

    /// <summary>Maps of both networks, of the class that the dense one answers.</summary>
    /// <returns>The share of images of which both answer the same, and how far the maps agree.</returns>
    /// <exception cref="StageException">A logit or a gradient is no number.</exception>
    public static (double Same, MapSimilarity Maps) Gradients(
        ImageClassifier dense, ImageClassifier pruned, ImageSet images, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var gradients = new GradientMaps(parameters.Pool, parameters.Samples, parameters.Noise, parameters.Seed);
        var maps = new MapSimilarity(parameters.Top);
        var same = 0L;
        for (var start = 0L; start < images.Count; start += parameters.Batch)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var pixels = images.Pixels.narrow(0, start, Math.Min(parameters.Batch, images.Count - start));
            var classes = Answers(dense, pixels);
            same += classes.eq(Answers(pruned, pixels)).sum().ToInt64();
            maps.Add(gradients.Of(dense, pixels, classes, start), gradients.Of(pruned, pixels, classes, start));
            stage.Report(start + pixels.shape[0], images.Count, "image", ("cosine", maps.Cosine));
        }

        return ((double)same / images.Count, maps);
    }

    private static RadialSimilarity Radial(
        string protocol, ExplainedNetwork explained, ImageClassifier dense, ImageClassifier whole, ImageSet images, Parameters parameters,
        CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var (before, after) = (explained.All(dense, images, parameters.Batch, cancellation), explained.All(whole, images, parameters.Batch, cancellation));
        var (masks, distance) = RadialAgreement.Of(before, after, dense.Config.ImageSize, parameters.Top);
        return new RadialSimilarity(protocol, distance, masks.Cosine, masks.Spearman, masks.Overlap);
    }

    private static Tensor Answers(ImageClassifier network, Tensor pixels)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var logits = network.Forward(Classifying.Normalization.Of(network).Of(pixels, network.Device));
        return logits.isfinite().all().ToBoolean()
            ? logits.argmax(1).MoveToOuterDisposeScope()
            : throw new StageException("a logit is no number: the model's weights or statistics hold NaN or infinity");
    }

    private static ImageSet Chosen(ImageSet images, Parameters parameters)
    {
        var order = new EpochOrder(checked((int)images.Count), parameters.Seed);
        var count = (int)Math.Min(parameters.Images, images.Count);
        return images.Choose([.. Enumerable.Range(0, count).Select(at => (long)order.At(at)).Order()], "images that explanations are compared on");
    }

    private static void Check(ImageClassifier dense, ImageClassifier pruned, ImageSet images, Parameters parameters)
    {
        dense.CheckFits(images.Info);
        pruned.CheckFits(images.Info);
        if (dense.Config.NumClasses != pruned.Config.NumClasses)
            throw new StageException($"the dense model tells {dense.Config.NumClasses} classes apart, the pruned one {pruned.Config.NumClasses}: there is nothing to compare");
        if (parameters.Pool > dense.Config.ImageSize)
            throw new StageException($"pool {parameters.Pool} is more than the images' {dense.Config.ImageSize} pixels");
    }

    /// <summary>The pruned network at the dense one's widths, in place of <paramref name="whole"/>'s tensors.</summary>
    /// <exception cref="StageException">It cannot be one of the dense network.</exception>
    private static void Restore(ImageClassifier whole, ImageClassifier pruned, PruningDecision? decision)
    {
        if (!Nodes(whole).SequenceEqual(Nodes(pruned)) || !whole.Config.Mean.SequenceEqual(pruned.Config.Mean) || !whole.Config.StandardDeviations.SequenceEqual(pruned.Config.StandardDeviations))
            throw new StageException("the pruned model is not made as the dense one, or normalised otherwise: the explainer cannot read it; leave 'explainer' away");
        if (decision is null && !whole.Widths.SequenceEqual(pruned.Widths))
            throw new StageException("the pruned model is narrower than the one that the explainer is of: connect the 'decision' that it was cut by, or leave 'explainer' away");
        (decision ?? new PruningDecision("", "", [])).Restore(whole, pruned);

        static IEnumerable<string> Nodes(ImageClassifier network) => network.Graph.Nodes.Select(node => node.Name);
    }
}
