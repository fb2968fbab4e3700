using Pipelines.Models;

namespace Pipelines.Activities.Modeling;

/// <summary>A checkpoint in memory: the model, and the tokenizer that goes with it.</summary>
/// <param name="Folder">Where it was loaded from.</param>
public sealed record LoadedModel(string Folder, Llama Llama, Tokenizer Tokenizer) : IDisposable
{
    /// <summary>The share of zeros in the blocks' linears.</summary>
    public double Sparsity()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var (zeros, all) = (0L, 0L);
        foreach (var linear in Llama.Linears())
        {
            all += linear.Weight.numel();
            zeros += linear.Weight.numel() - linear.Weight.count_nonzero().ToInt64();
        }

        return (double)zeros / all;
    }

    public void Dispose() => Llama.Dispose();
}
