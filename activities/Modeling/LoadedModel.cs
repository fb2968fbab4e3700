using Pipelines.Models;
using Pipelines.Workflows;

namespace Pipelines.Activities.Modeling;

/// <summary>A checkpoint in memory: the model, and the tokenizer that goes with it.</summary>
/// <param name="Folder">Where it was loaded from.</param>
public sealed record LoadedModel(string Folder, CausalLM Network, Tokenizer Tokenizer) : IDisposable
{
    /// <summary>The share of zeros in the blocks' linears.</summary>
    public double Sparsity()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var (zeros, all) = (0L, 0L);
        foreach (var linear in Network.Linears())
        {
            all += linear.Weight.numel();
            zeros += linear.Weight.numel() - linear.Weight.count_nonzero().ToInt64();
        }

        return (double)zeros / all;
    }

    /// <summary>Parameters of the blocks' linears, and of shortcuts where there are any: what pruning ratios count.</summary>
    public long BlockParameters() => Network.Blocks.Sum(block =>
        block.Linears.Sum(linear => linear.Weight.numel()) + (block.AttentionShortcut?.numel() ?? 0) + (block.MlpShortcut?.numel() ?? 0));

    /// <summary>Bytes of the safetensors files that it was loaded from.</summary>
    public long FileBytes() => WeightFiles.Bytes(Folder);

    /// <summary>The ids of a text, each of them a row of the embedding.</summary>
    /// <exception cref="StageException">The tokenizer gives an id beyond them.</exception>
    public int[] Encode(string text) => Tokenizer.Encode(text, Network.Config.VocabSize);

    public void Dispose() => Network.Dispose();
}
