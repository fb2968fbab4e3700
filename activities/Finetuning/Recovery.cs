using Pipelines.Activities.Modeling;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Finetuning;

/// <summary>What all recoveries share: a model, what of it is trained, a loss, and a checkpoint in the end.</summary>
internal sealed record Recovery(int Steps, int Batch, double LearningRate, double WeightDecay, long Seed)
{
    /// <param name="choose">What of the model is trained.</param>
    /// <param name="lossOf">Of the model: the loss of a batch [B, T]; null for that of the next token.</param>
    /// <param name="save">What becomes of the trained model; null for a checkpoint with adapters merged.</param>
    /// <returns>The checkpoint, and the mean loss of the last steps.</returns>
    /// <exception cref="StageException">Nothing of the model is trained.</exception>
    public async Task<(Checkpoint Model, double Loss)> RunAsync(
        Checkpoint checkpoint, Dataset data, Action<Trainee> choose, StageContext stage, CancellationToken cancellation,
        Func<LoadedModel, Func<Tensor, Tensor>>? lossOf = null, Func<LoadedModel, Task<Checkpoint>>? save = null)
    {
        using var model = await stage.LoadModelAsync(checkpoint, cancellation);
        using var trainee = new Trainee(model.Network);
        choose(trainee);
        if (trainee.Tensors.Count == 0)
            throw new StageException("nothing of this model is trained: it has no parameters of the kinds that were chosen");
        stage.Log($"trains {trainee.Count:N0} numbers; the model has {model.Network.ParameterCount():N0}");
        using var tokens = await stage.TokensAsync(data, model, null, cancellation);
        var loss = lossOf?.Invoke(model) ?? (batch => model.Network.NextTokenLoss(batch));
        var last = new TrainingLoop(Steps, LearningRate, WeightDecay).Run(
            (batch, _) => loss(batch), trainee.Tensors, new TokenBatches(tokens, Batch, Seed), stage, cancellation, trainee.Masks);
        if (save is not null)
            return (await save(model), last);
        trainee.Finish();
        return (await stage.SaveModelAsync(model, cancellation), last);
    }
}
