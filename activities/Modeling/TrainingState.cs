using Pipelines.Models;
using Pipelines.Workflows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>
/// Everything that the rest of a training loop depends on, besides what follows from the step: the trained parameters, the
/// optimizer, the recent losses, what the stage keeps beside them. The learning rate and the batches follow from the step; nothing else is drawn at random.
/// </summary>
/// <param name="trained">In an order that is the same in every attempt.</param>
/// <param name="kept">Of the stage, by name: written over by <see cref="Restore"/>.</param>
/// <param name="others">Optimizers of the stage's own, by name.</param>
public sealed class TrainingState(
    IReadOnlyList<Parameter> trained, OptimizerHelper optimizer, IReadOnlyList<(string Name, Tensor Tensor)> kept,
    IReadOnlyList<(string Name, OptimizerHelper Optimizer)> others)
{
    private const int LossWindow = 20;
    private const string TensorFile = "training.safetensors";
    private const string LossesName = "losses";

    private readonly (string File, OptimizerHelper Optimizer)[] optimizers =
        [("optimizer.bin", optimizer), .. others.Select(other => ($"optimizer.{other.Name}.bin", other.Optimizer))];

    private readonly Queue<double> losses = new();

    /// <summary>The mean over the last steps; NaN before the first.</summary>
    public double RecentLoss => losses.Count > 0 ? losses.Average() : double.NaN;

    public void Add(double loss)
    {
        losses.Enqueue(loss);
        if (losses.Count > LossWindow)
            losses.Dequeue();
    }

    public void Save(string folder)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(
            Path.Combine(folder, TensorFile),
            [
                .. trained.Select((parameter, index) => TensorSource.Of($"parameter.{index:d5}", parameter.detach())),
                .. kept.Select(one => TensorSource.Of($"kept.{one.Name}", one.Tensor)),
                TensorSource.Of(LossesName, tensor(losses.ToArray())),
            ]);
        foreach (var (file, one) in optimizers)
            one.save_state_dict(Path.Combine(folder, file));
    }

    /// <returns>The steps that are done: 0 without a checkpoint.</returns>
    /// <exception cref="StageException">It is of other parameters.</exception>
    public int Restore(StageCheckpoint? checkpoint)
    {
        if (checkpoint is null)
            return 0;
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var file = SafetensorsFile.Open(Path.Combine(checkpoint.Folder, TensorFile));
        if (file.Tensors.Count != trained.Count + kept.Count + 1)
            throw new StageException($"the checkpoint holds {file.Tensors.Count - 1} tensors: expected {trained.Count + kept.Count}");
        foreach (var (index, parameter) in trained.Index())
            parameter.copy_(file.View($"parameter.{index:d5}"));
        foreach (var (name, tensor) in kept)
            tensor.copy_(file.View($"kept.{name}"));
        foreach (var loss in file.View(LossesName).data<double>().ToArray())
            losses.Enqueue(loss);
        foreach (var (name, one) in optimizers)
            one.load_state_dict(Path.Combine(checkpoint.Folder, name));
        return checked((int)checkpoint.Step);
    }
}
