using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Finetuning;

/// <summary>
/// Distillation (Hinton et al., arXiv:1503.02531): a pruned model learns to answer as the dense one does, on any text.
/// </summary>
[Description("Trains a pruned model to answer as the dense one; zeroed weights stay zero")]
public sealed class DistillFinetune : Activity<DistillFinetune.Inputs, DistillFinetune.Parameters, DistillFinetune.Outputs>
{
    /// <param name="Teacher">With the student's tokenizer.</param>
    public sealed record Inputs(Checkpoint Model, Checkpoint Teacher, Dataset Data);

    public sealed record Parameters(
        [property: Description("What is trained")] TrainedKind Train = TrainedKind.Lora,
        [property: Range(0.0, 1000.0), Description("Weight of the teacher's distribution")] double Logits = 1,
        [property: Range(0.01, 100.0), Description("Temperature of both distributions")] double Temperature = 2,
        [property: Range(0.0, 1000.0), Description("Weight of the teacher's hidden states, block by block; needs models of one width")]
        double Hidden = 0,
        [property: Range(0.0, 1000.0), Description("Weight of the text's own next token")] double Text = 0,
        [property: Range(1, 1024), Description("Rank of the update, with lora")] int Rank = 8,
        [property: Range(0.01, 10_000), Description("The update is scaled by alpha / rank, with lora")] double Alpha = 16,
        [property: Range(1, 1_000_000), Description("Training steps")] int Steps = 150,
        [property: Range(1, 4096), Description("Sequences in a batch")] int Batch = 8,
        [property: Range(1e-7, 1.0), Description("The highest learning rate; full wants a lower one than lora")] double LearningRate = 2e-3,
        [property: Range(0.0, 1.0), Description("Share of a parameter that decays with each step of learning rate 1")] double WeightDecay = 0,
        [property: Description("Of the adapters' initial values and of the order of the data")] long Seed = 0);

    public sealed record Outputs(Checkpoint Model, double Loss);

    public override string Kind => "finetune.distill";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        if (parameters.Logits + parameters.Hidden + parameters.Text == 0)
            throw new StageException("logits, hidden and text all have the weight 0: there is no loss");
        using var teacher = await stage.LoadModelAsync(inputs.Teacher, cancellation);
        var recovery = new Recovery(
            parameters.Steps, parameters.Batch, parameters.LearningRate, parameters.WeightDecay, parameters.Seed);
        var (model, loss) = await recovery.RunAsync(
            inputs.Model, inputs.Data, Choose, stage, cancellation, student => LossOf(student, teacher, parameters));
        return new Outputs(model, loss);

        void Choose(Trainee trainee)
        {
            if (parameters.Train == TrainedKind.Lora)
                trainee.Adapters(parameters.Rank, parameters.Alpha, parameters.Seed, masked: true);
            else
                trainee.Parameters(TrainedPart.All);
        }
    }

    /// <exception cref="StageException">The two models cannot be set beside each other.</exception>
    private static Func<Tensor, Tensor> LossOf(LoadedModel student, LoadedModel teacher, Parameters parameters)
    {
        if (student.Tokenizer.Sha256 != teacher.Tokenizer.Sha256 || student.Network.Config.VocabSize != teacher.Network.Config.VocabSize)
            throw new StageException("model and teacher have different tokenizers: their answers cannot be compared");
        var (blocks, all) = (student.Network.Blocks.Count, teacher.Network.Blocks.Count);
        if (parameters.Hidden > 0 && blocks > all)
            throw new StageException($"the model has {blocks} blocks, the teacher {all}: set hidden to 0");
        return batch => Loss(student.Network, teacher.Network, batch, parameters);
    }

    private static Tensor Loss(CausalLM student, CausalLM teacher, Tensor batch, Parameters parameters)
    {
        using var scope = NewDisposeScope();
        var (states, logits) = Run(student, batch);
        var loss = zeros(1, device: batch.device).sum();
        if (parameters.Text > 0)
            loss = loss + CausalLM.CrossEntropy(logits, batch) * parameters.Text;
        if (parameters.Logits + parameters.Hidden == 0)
            return loss.MoveToOuterDisposeScope();

        IReadOnlyList<Tensor> taughtStates;
        Tensor taught;
        using (no_grad())
            (taughtStates, taught) = Run(teacher, batch);
        if (parameters.Logits > 0)
            loss = loss + DistillationLoss.Logits(logits, taught, parameters.Temperature) * parameters.Logits;
        if (parameters.Hidden > 0)
        {
            if (states.Zip(taughtStates).Any(pair => pair.First.shape[^1] != pair.Second.shape[^1]))
                throw new StageException("the model's hidden states have another width than the teacher's: set hidden to 0");
            loss = loss + DistillationLoss.Hidden(states, taughtStates) * parameters.Hidden;
        }

        return loss.MoveToOuterDisposeScope();
    }

    private static (IReadOnlyList<Tensor> States, Tensor Logits) Run(CausalLM model, Tensor batch)
    {
        var states = model.HiddenStates(batch);
        return (states, model.Unembed(states[^1]));
    }
}

/// <summary>How a model is trained.</summary>
public enum TrainedKind
{
    [Description("Low-rank updates of the blocks' linears, merged afterwards")]
    Lora,

    [Description("All of its parameters")]
    Full,
}
