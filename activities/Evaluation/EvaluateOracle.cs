using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>
/// Whether a classifier that is good right after pruning is good after retraining too ("Is Oracle Pruning the True Oracle?",
/// arXiv:2412.00143): many ways to remove the same number of channels, each measured before and after the same retraining, and
/// how far the two put them in the same order. A method's decision, where one is connected, is measured among them.
/// </summary>
[Description("Prunes a classifier in many ways, retrains each, and says whether the loss before tells which is best afterwards")]
public sealed class EvaluateOracle : Activity<EvaluateOracle.Inputs, EvaluateOracle.Parameters, EvaluateOracle.Outputs>
{
    /// <param name="Data">Images to retrain on; the loss before is of them.</param>
    /// <param name="Evaluation">Images that it is measured on after retraining.</param>
    /// <param name="Decision">What a method keeps. The random ways then keep as many units as it does, at the same places.</param>
    public sealed record Inputs(Checkpoint Model, Images Data, Images Evaluation, Decision? Decision);

    public sealed record Parameters(
        [property: Range(2, 100_000), Description("Ways that are tried; all of them where there are no more")] int Plans = 30,
        [property: Range(0.01, 0.99), Description("Share of the channels that goes at each place; without a decision")] double Ratio = 0.5,
        [property: Description("The only place that is pruned, by the convolution that makes its channels; all inside blocks when absent; without a decision")]
        string? Site = null,
        [property: Range(1, 10_000_000), Description("Images to retrain on that the loss before is taken over: the first so many")] int LossImages = 2000,
        [property: Range(0.001, 100_000.0), Description("How often every image is seen in each retraining")] double Epochs = 2,
        [property: Range(2, 65536), Description("Images in a batch")] int Batch = 128,
        [property: Range(1e-7, 100.0), Description("The highest learning rate")] double LearningRate = 0.01,
        [property: Range(0.0, 0.9999), Description("Share of the last update in the next one")] double Momentum = 0.9,
        [property: Range(0.0, 1.0), Description("Share of a parameter that decays with each step of learning rate 1")] double WeightDecay = 5e-4,
        [property: Range(0, 64), Description("Black pixels around an image before a piece of its size is cut from anywhere; 0 for none")] int Pad = 4,
        [property: Description("Turn every other image left to right, by chance")] bool Flip = true,
        [property: Description("Of the ways, and of every retraining alike")] long Seed = 0);

    /// <param name="Decision">The way that was best after retraining. It was chosen by the evaluation images: measure it on others.</param>
    public sealed record Outputs(OracleStudy Study, Decision Decision);

    public override string Kind => "evaluate.oracle";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Data, cancellation);
        using var evaluation = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Evaluation, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        network.CheckFits(images.Info);
        network.CheckFits(evaluation.Info);
        var given = inputs.Decision is null ? null : await stage.OpenDecisionAsync(inputs.Decision, inputs.Model, cancellation);
        PruningDecision[] decisions = [.. Decisions(network, inputs.Model, given, parameters), .. given is null ? [] : new[] { given }];
        var folder = await stage.Artifacts.OpenAsync(inputs.Model.Hash, cancellation);
        var results = new KeptResults<OracleResult>(stage).Run(
            decisions.Length, "plan", plan => Measure(folder, decisions[plan], images, evaluation, parameters, stage, cancellation), cancellation);
        OracleResult[] tried = given is null ? [.. results] : [.. results.Take(results.Count - 1)];
        var protocol = $"oracle-1:data={Protocol.Short(inputs.Data.Hash)}:loss={Math.Min(parameters.LossImages, images.Count)}"
            + $":evaluation={Protocol.Short(inputs.Evaluation.Hash)}:epochs={parameters.Epochs}:batch={parameters.Batch}:rate={parameters.LearningRate}"
            + $":plans={tried.Length}:seed={parameters.Seed}";
        var study = OracleStudy.Of(protocol, tried, given is null ? null : results[^1]);
        var best = Enumerable.Range(0, tried.Length).MaxBy(plan => tried[plan].Accuracy);
        return new Outputs(study, await stage.SaveDecisionAsync(decisions[best], cancellation));
    }

    /// <summary>The ways, as decisions.</summary>
    /// <exception cref="StageException">There is no such place, or only one way.</exception>
    private static IEnumerable<PruningDecision> Decisions(
        ImageClassifier network, Checkpoint model, PruningDecision? given, Parameters parameters)
    {
        var places = given is not null
            ? [.. given.Sites.Select(site => (site.Name, Count: site.Of, Kept: site.Units.Count))]
            : Places(network, parameters);
        return OraclePlans.Of([.. places.Select(place => (place.Count, place.Kept))], parameters.Plans, parameters.Seed)
            .Select(plan => new PruningDecision(
                model.Hash, "evaluate.oracle",
                [.. places.Zip(plan, (place, units) => new KeptUnits(place.Name, UnitKind.Channel, place.Count, units))]));
    }

    private static (string Name, int Count, int Kept)[] Places(ImageClassifier network, Parameters parameters)
    {
        var sites = network.Sites(parameters.Site is null ? ChannelScope.Inner : ChannelScope.Full)
            .Where(site => parameters.Site is null || site.Name == parameters.Site).ToArray();
        if (sites.Length == 0)
        {
            throw new StageException(
                $"the model has no place '{parameters.Site}': expected one of {string.Join(", ", network.Sites().Select(site => site.Name))}");
        }

        // 0.1 · 30 is a little under 3 in binary: what is meant is 3.
        return [.. sites.Select(site => (site.Name, site.Count, Math.Max(1, site.Count - (int)(site.Count * parameters.Ratio + 1e-9))))];
    }

    private static OracleResult Measure(
        string folder, PruningDecision decision, ImageSet images, ImageSet evaluation, Parameters parameters, StageContext stage,
        CancellationToken cancellation)
    {
        // Its steps are not this stage's: a retraining that was interrupted begins anew.
        var quiet = stage with { Checkpoints = new NothingKept(), Progress = _ => { }, Log = _ => { } };
        using var network = VisionFolder.Load(folder, device(stage.Device));
        using (no_grad())
            decision.Apply(network, quiet);
        using var first = images.Choose([.. Enumerable.Range(0, (int)Math.Min(parameters.LossImages, images.Count)).Select(row => (long)row)], "images that the loss is taken over");
        var before = EvaluateAccuracy.Run(network, first, parameters.Batch, quiet.Report, cancellation);
        var training = new ClassifierTraining(
            parameters.Epochs, parameters.Batch, OptimizerKind.Sgd, parameters.LearningRate, parameters.Momentum, Nesterov: false,
            parameters.WeightDecay, RateSchedule.Cosine, Warmup: 0.05, Smoothing: 0, new Augmentation(parameters.Pad, parameters.Flip, 0),
            parameters.Seed);
        training.Run(network, images, teacher: null, quiet, cancellation);
        var after = EvaluateAccuracy.Run(network, evaluation, parameters.Batch, quiet.Report, cancellation);
        return new OracleResult(before.Loss, before.Top1, after.Loss, after.Top1);
    }

    /// <summary>For what is done again from its begin.</summary>
    private sealed class NothingKept : ICheckpoints
    {
        public StageCheckpoint? Latest => null;

        public bool Due(TimeSpan interval) => false;

        public void Save(long steps, Action<string> write)
        {
        }
    }
}
