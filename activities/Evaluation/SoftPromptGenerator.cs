using System.Text.Json.Nodes;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>
/// Dynamic soft prompting (Wang et al., arXiv:2409.13853): a small transformer of the model's own architecture makes, of the last
/// tokens of a prefix, rows that stand before it and lead the model on to what it was trained on. The model is frozen.
/// </summary>
/// <remarks>
/// It begins as the identity: its embedding is the model's, its position embedding, the attention's outputs and the MLP's are
/// 0, so that what it makes are the rows of those tokens. Norm and head behind its blocks are not used.
/// </remarks>
public sealed class SoftPromptGenerator : IDisposable
{
    private readonly CausalLM model;
    private readonly CausalLM network;

    /// <param name="length">Rows that it makes: of so many last tokens of a prefix.</param>
    /// <param name="blocks">The released code has two and takes what the first makes.</param>
    /// <exception cref="StageException">The model's residual stream has another width than its config says.</exception>
    public SoftPromptGenerator(CausalLM model, int length, int blocks, long seed)
    {
        var width = model.Embedding.shape[1];
        if (width != model.Config.HiddenSize)
        {
            throw new StageException(
                $"the model's residual stream has {width} of {model.Config.HiddenSize} channels: no generator of its architecture has as many");
        }

        (this.model, Length) = (model, length);
        var dtype = model.Dtype is ScalarType.Float16 or ScalarType.BFloat16 ? ScalarType.Float32 : model.Dtype;
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var config = JsonNode.Parse(model.Config.Write(
            ("num_hidden_layers", blocks), ("layer_types", null), ("tie_word_embeddings", true)))!.AsObject();
        network = CausalFolder.Create(CausalConfig.Parse("the generator of soft prompts", config), seed);
        network.SetEmbedding(model.Embedding.to(dtype, copy: true));
        if (network.PositionEmbedding is not null)
            network.SetPositionEmbedding(Initial(network.PositionEmbedding, zero: true));
        foreach (var block in network.Blocks)
        {
            Linear[] outputs = [block.Attention!.Output, block.Mlp!.Down];
            foreach (var linear in block.Linears)
            {
                linear.SetWeight(Initial(linear.Weight, outputs.Contains(linear)));
                linear.SetBias(linear.Bias is null ? null : Initial(linear.Bias, outputs.Contains(linear)));
            }

            foreach (var norm in block.Norms)
            {
                norm.SetWeight(Initial(norm.Weight, zero: false));
                norm.SetBias(norm.Bias is null ? null : Initial(norm.Bias, zero: false));
            }
        }

        Others =
        [
            .. network.PositionEmbedding is { } positions ? [positions] : Array.Empty<Tensor>(),
            .. network.Blocks.SelectMany(block => block.NamedParameters("")).Select(one => one.Tensor),
        ];
        foreach (var trained in Others.Append(Embedding))
            trained.requires_grad_();

        Tensor Initial(Tensor tensor, bool zero) =>
            (zero ? zeros_like(tensor) : tensor.clone()).to(dtype).to(model.Device);
    }

    /// <summary>Rows that it makes of a prefix.</summary>
    public int Length { get; }

    /// <summary>[vocabulary, hidden]: trained at a rate of its own.</summary>
    public Tensor Embedding => network.Embedding;

    /// <summary>What is trained besides, in a fixed order.</summary>
    public IReadOnlyList<Tensor> Others { get; }

    /// <param name="prefix">[B, P], int64; P is not below <see cref="Length"/>.</param>
    /// <returns>[B, <see cref="Length"/>, hidden].</returns>
    public Tensor Prompt(Tensor prefix)
    {
        using var scope = NewDisposeScope();
        var made = network.Hidden(prefix).narrow(1, prefix.shape[1] - Length, Length);
        return made.to(model.Dtype).alias().MoveToOuterDisposeScope();
    }

    /// <summary>Mean cross entropy of the suffixes behind prompt and prefix: what the generator is trained on.</summary>
    /// <param name="windows">[B, prefix + suffix], int64.</param>
    /// <returns>A scalar that can be differentiated.</returns>
    public Tensor Loss(Tensor windows, int prefix)
    {
        using var scope = NewDisposeScope();
        return SuffixLoss(model, windows, prefix, Prompt(windows.narrow(1, 0, prefix))).MoveToOuterDisposeScope();
    }

    /// <summary>Mean cross entropy of the tokens behind a prefix.</summary>
    /// <param name="windows">[B, prefix + suffix], int64.</param>
    /// <param name="prompt">[B, N, hidden], before the prefix; null for none.</param>
    public static Tensor SuffixLoss(CausalLM model, Tensor windows, int prefix, Tensor? prompt)
    {
        using var scope = NewDisposeScope();
        var length = (int)windows.shape[1];
        var rows = model.Rows(windows.narrow(1, 0, length - 1));
        var read = prompt is null ? rows : cat([prompt, rows], 1);
        var hidden = model.HiddenOf(model.Placed(read)).narrow(1, read.shape[1] - (length - prefix), length - prefix);
        var logits = model.Unembed(hidden);
        var targets = windows.narrow(1, prefix, length - prefix).reshape(-1);
        return nn.functional.cross_entropy(logits.reshape(-1, logits.shape[^1]), targets).MoveToOuterDisposeScope();
    }

    public void Dispose() => network.Dispose();
}
