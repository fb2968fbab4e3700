using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Data;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;

namespace Pipelines.Activities.Tuning;

/// <summary>
/// Joint training and pruning by a reinforcement-learning agent (Ganjdanesh et al., CVPR 2024), after its abstract and a
/// re-implementation by others, for the authors' code is not public. A classifier is trained; an agent that sees it change
/// prunes copies of it, place by place, and is rewarded by their accuracy on held-out images; the weights outside of the best
/// copy's channels are drawn to 0. In the end those channels are cut and the batch norms' statistics taken anew. Known are
/// states, bounds, rewards, the soft actor-critic with its constants and the alignment; ours are the agent's widths, that rounds
/// are spread over a share of the steps, that of equally good choices the later counts, and that alignment takes scales and
/// shifts with the filters. Tuning the weights afterwards is a stage of its own (finetune.classifier).
/// </summary>
[Description("Trains an image classifier while an agent learns how many channels of each block to keep; cuts its best choice")]
public sealed class RlalTune : Activity<RlalTune.Inputs, RlalTune.Parameters, RlalTune.Outputs>
{
    /// <param name="Model">Trained or not.</param>
    public sealed record Inputs(Checkpoint Model, Images Data);

    public sealed record Parameters(
        [property: Range(0.0, 0.95), Description("Share of the multiply-adds to remove, of channels inside blocks")] double Ratio = 0.5,
        [property: Range(4, 10_000_000), Description("Training steps of the weights")] int Steps = 2000,
        [property: Range(2, 65536), Description("Images in a batch")] int Batch = 128,
        [property: Range(1e-7, 100.0), Description("The highest learning rate, with stochastic gradient descent")] double LearningRate = 0.1,
        [property: Range(0.0, 0.9999), Description("Share of the last update in the next one")] double Momentum = 0.9,
        [property: Range(0.0, 1.0), Description("Share of a parameter that decays with each step of learning rate 1")] double WeightDecay = 1e-4,
        [property: Description("How the learning rate goes")] RateSchedule Schedule = RateSchedule.Steps,
        [property: Range(0.0, 1.0), Description("Share of the steps in which it rises first")] double Warmup = 0.02,
        [property: Range(0.001, 0.5), Description("Share of the images that are held out, for rewards")] double HeldOut = 0.1,
        [property: Range(0.0, 1.0), Description("Share of the steps before the agent's first round")] double Begin = 0.05,
        [property: Range(0.0, 1.0), Description("Share of the steps after which the search is over")] double End = 0.42,
        [property: Range(1, 10_000), Description("Rounds of the agent")] int Rounds = 20,
        [property: Range(1, 10_000), Description("Episodes in a round")] int Episodes = 10,
        [property: Range(0, 1_000_000), Description("Episodes at the beginning whose actions are drawn by chance")] int RandomEpisodes = 10,
        [property: Range(0, 100_000), Description("Training steps of the agent's sense of time in a round")] int TimeUpdates = 100,
        [property: Range(0, 100_000), Description("Training steps of its policy in a round")] int Updates = 200,
        [property: Range(1, 10_000), Description("Batches that a pruned copy's statistics are taken on; 100 in the re-implementation")] int Calibration = 10,
        [property: Range(0.0, 1e3), Description("β: what weights outside of the best choice cost")] double Alignment = 5e-5,
        [property: Range(0.0, 0.9), Description("Share of a label that is spread over all classes")] double Smoothing = 0,
        [property: Range(0, 64), Description("Black pixels around an image before a piece of its size is cut from anywhere; 0 for none")] int Pad = 4,
        [property: Description("Turn every other image left to right, by chance")] bool Flip = true,
        [property: Description("Of the agent, its actions, order, changes of images, and of what is held out")] long Seed = 0);

    /// <param name="Decision">The channels that stay.</param>
    /// <param name="Kept">Share of the parameters that is left.</param>
    /// <param name="Macs">Share of the multiply-adds that is left.</param>
    /// <param name="Reward">The best choice's accuracy on held-out images when it was made.</param>
    /// <param name="Loss">Of the last steps.</param>
    public sealed record Outputs(Checkpoint Model, Decision Decision, double Kept, double Macs, double Reward, double Loss);

    public override string Kind => "tune.rlal";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Data, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        using var training = new RlalTraining(network, images, parameters);
        var loss = training.Run(stage, cancellation);
        var cut = training.Cut(inputs.Model.Hash, Kind, stage);
        return new Outputs(
            await stage.SaveClassifierAsync(network, cancellation), await stage.SaveDecisionAsync(cut.Decision, cancellation),
            cut.Kept, cut.Macs, training.Reward, loss);
    }
}
