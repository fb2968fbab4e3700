using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Finetuning;

/// <summary>LoRA adapters on the linears of a model's blocks (Hu et al., arXiv:2106.09685).</summary>
public static class Adapters
{
    /// <summary>Puts adapters on every linear: A uniform as in peft, B zero, so that nothing changes at first.</summary>
    /// <param name="masked">Whether the update is to be merged: it keeps out of zeroed weights, and off those that are another linear's.</param>
    /// <returns>The tensors to train.</returns>
    public static IReadOnlyList<Tensor> Attach(CausalLM model, int rank, double alpha, long seed, bool masked)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var trained = new List<Tensor>();
        foreach (var linear in model.Linears().Where(linear => !masked || linear.Shared is null))
        {
            var (rows, columns) = (linear.Weight.shape[0], linear.Weight.shape[1]);
            var bound = 1 / Math.Sqrt(columns);
            var a = empty(rank, columns).uniform_(-bound, bound, generator: generator).to(model.Device);
            var b = zeros(rows, rank, device: model.Device);
            linear.Adapter = new LoraAdapter(Trained(a), Trained(b), alpha / rank, masked ? ZeroMasks.Of(linear.Weight) : null);
        }

        return trained;

        Tensor Trained(Tensor tensor)
        {
            trained.Add(tensor.requires_grad_().DetachFromDisposeScope());
            return tensor;
        }
    }

    /// <summary>Puts each update into its weight; no adapter is left.</summary>
    public static void Merge(CausalLM model)
    {
        foreach (var linear in model.Linears().Where(linear => linear.Adapter is not null))
        {
            linear.SetWeight(linear.Adapter!.Merge(linear.Weight));
            linear.Adapter.Dispose();
            linear.Adapter = null;
        }
    }
}
