using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>
/// What a stage does in the steps of a training loop besides the loss. What it remembers from one step to the next is in
/// <see cref="Kept"/>, so that a loop that was interrupted goes on with it.
/// </summary>
public abstract class StepWork
{
    /// <summary>In checkpoints, under these names; a loop that goes on writes into the same tensors.</summary>
    public virtual IReadOnlyList<(string Name, Tensor Tensor)> Kept => [];

    /// <summary>Optimizers of its own, of parameters that the loop knows nothing of; in checkpoints, under these names.</summary>
    public virtual IReadOnlyList<(string Name, OptimizerHelper Optimizer)> Optimizers => [];

    /// <summary>The gradients of this step are there, not yet clipped.</summary>
    /// <param name="index">Of the step, from 0.</param>
    public virtual void BeforeUpdate(int index)
    {
    }

    /// <summary>The parameters have moved.</summary>
    public virtual void AfterUpdate(int index, OptimizerHelper optimizer)
    {
    }
}
