using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Calibration;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// FLAP (An et al., arXiv:2312.11983): removes KV groups with their query heads, and neurons, whose output moves least,
/// and puts the mean of what they gave into a bias. No training; the weights really become smaller.
/// </summary>
[Description("Removes attention heads by KV group, and neurons; the mean of what is removed becomes a bias")]
public sealed class FlapPrune : Activity<FlapPrune.Inputs, FlapPrune.Parameters, FlapPrune.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Statistics Statistics);

    public sealed record Parameters(
        [property: Range(0.0, 0.9), Description("Share of the blocks' parameters to remove")] double Ratio = 0.2,
        [property: Description("What a channel is scored by")] FlapMetric Metric = FlapMetric.Wifv,
        [property: Description("Where the ratio holds")] FlapStructure Structure = FlapStructure.AlAm,
        [property: Description("Whose formula")] FlapFormula Formula = FlapFormula.Released,
        [property: Description("Put the mean of what is removed into biases")] bool Compensate = true);

    /// <param name="Kept">Share of the blocks' parameters that is left.</param>
    public sealed record Outputs(Checkpoint Model, double Kept);

    public override string Kind => "prune.flap";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var statistics = await stage.OpenStatisticsAsync(inputs.Statistics, inputs.Model, cancellation);
        using var ungraded = no_grad();
        var blocks = model.Llama.Blocks;
        var before = Size(model.Llama);
        var kept = Decide(
            blocks, linear => Fluctuation(statistics, linear, parameters.Formula), statistics.MeanSquare, parameters);

        foreach (var (index, block) in blocks.Index())
        {
            cancellation.ThrowIfCancellationRequested();
            Apply(block, kept[index], parameters.Compensate ? statistics.Mean : null);
            stage.Report(
                index + 1, blocks.Count, "block", ("KV groups", kept[index].Groups.Length), ("neurons", kept[index].Neurons.Length));
            stage.Log($"block {index}: {kept[index].Groups.Length} KV groups, {kept[index].Neurons.Length} neurons stay");
        }

        return new Outputs(await stage.SaveModelAsync(model, cancellation), (double)Size(model.Llama) / before);
    }

    /// <summary>Which units of each block stay.</summary>
    /// <param name="fluctuation">Of a linear's input, by the linear's name: [in].</param>
    /// <param name="meanSquare">Likewise.</param>
    public static KeptUnits[] Decide(
        IReadOnlyList<LlamaBlock> blocks, Func<string, Tensor> fluctuation, Func<string, Tensor> meanSquare,
        Parameters parameters)
    {
        var attention = new double[blocks.Count][];
        var neurons = new double[blocks.Count][];
        var adaptive = parameters.Structure == FlapStructure.AlAm;
        foreach (var (index, block) in blocks.Index())
        {
            using var scope = NewDisposeScope();
            var heads = Score(block.Output);
            if (parameters.Formula == FlapFormula.Released)
                heads = heads.square();
            var channels = Score(block.Down);
            if (adaptive)
                (heads, channels) = (FlapScores.Standardize(heads), FlapScores.Standardize(channels));
            heads = heads.view(block.KeyValueHeads, -1);
            attention[index] = (adaptive ? heads.mean([1L]) : heads.sum([1L])).data<double>().ToArray();
            neurons[index] = channels.data<double>().ToArray();
        }

        if (!adaptive)
        {
            return [.. attention.Zip(neurons, (heads, channels) => new KeptUnits(
                FlapScores.KeepUniform(heads, parameters.Ratio), FlapScores.KeepUniform(channels, parameters.Ratio)))];
        }

        // The released code keeps the weight of a head in an integer tensor, which cuts off its fraction.
        var weight = (double)LlamaUnits.GroupCost(blocks[0]) / LlamaUnits.NeuronCost(blocks[0]);
        var threshold = FlapScores.Threshold(
            attention, neurons, parameters.Formula == FlapFormula.Released ? Math.Floor(weight) : weight, parameters.Ratio);
        return [.. attention.Zip(neurons, (heads, channels) => new KeptUnits(
            FlapScores.Keep(heads, score => score > threshold), FlapScores.Keep(channels, score => score > threshold)))];

        Tensor Score(Linear linear)
        {
            var scores = FlapScores.Channels(
                parameters.Metric, linear.Weight, fluctuation(linear.Name), meanSquare(linear.Name));
            return scores.isfinite().all().ToBoolean()
                ? scores
                : throw new StageException($"{linear.Name}: its statistics hold NaN or infinity");
        }
    }

    /// <summary>Cuts a block down; with <paramref name="mean"/>, what is removed lives on as a constant.</summary>
    /// <exception cref="StageException">Nothing would be left of the attention or of the MLP.</exception>
    public static void Apply(LlamaBlock block, KeptUnits kept, Func<string, Tensor>? mean)
    {
        foreach (var (what, units) in new[] { (block.Output.Name, kept.Groups), (block.Down.Name, kept.Neurons) })
        {
            if (units.Length == 0)
                throw new StageException($"nothing would be left to feed {what}: choose a lower ratio, or structure ul-um");
        }

        if (mean is not null)
        {
            Compensate(block.Output, mean(block.Output.Name), LlamaUnits.OutputChannels(block, kept.Groups));
            Compensate(block.Down, mean(block.Down.Name), [.. kept.Neurons.Select(neuron => (long)neuron)]);
        }

        LlamaUnits.KeepGroups(block, kept.Groups);
        LlamaUnits.KeepNeurons(block, kept.Neurons);
    }

    /// <summary><c>b += W[:, removed] · mean[removed]</c>.</summary>
    private static void Compensate(Linear linear, Tensor mean, long[] kept)
    {
        using var scope = NewDisposeScope();
        var removed = mean.to(linear.Weight.device).clone();
        removed.index_fill_(0, tensor(kept, device: removed.device), 0);
        var constant = linear.Weight.to(ScalarType.Float64).mv(removed).to(linear.Weight.dtype);
        linear.SetBias(linear.Bias is { } bias ? bias + constant : constant);
    }

    private static Tensor Fluctuation(StatisticsFile statistics, string linear, FlapFormula formula) =>
        formula == FlapFormula.Released ? statistics.Fluctuation(linear) : statistics.Variance(linear);

    private static long Size(Llama model) => model.Linears().Sum(linear => linear.Weight.numel());
}

/// <summary>The units of a block that stay, in order.</summary>
public sealed record KeptUnits(int[] Groups, int[] Neurons);

/// <summary>Where FLAP's ratio holds.</summary>
public enum FlapStructure
{
    [Description("One ranking over all layers and both modules")]
    AlAm,

    [Description("In every layer and module by itself")]
    UlUm,
}

/// <summary>Where the released code of FLAP departs from its paper.</summary>
public enum FlapFormula
{
    [Description("As released: its running fluctuation, attention's scores squared, the weight of a head cut to an integer")]
    Released,

    [Description("As the paper says: the variance, no square, exact weights")]
    Paper,
}
