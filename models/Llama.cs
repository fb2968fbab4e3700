using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// Llama (Touvron et al., arXiv:2302.13971) for inference and training, with grouped queries, tied embeddings and a width
/// of its own for every block. Tensors carry Hugging Face's names.
/// </summary>
public sealed class Llama : IDisposable
{
    private Rope? rope;

    public Llama(
        LlamaConfig config, Tensor embedding, IReadOnlyList<LlamaBlock> blocks, RmsNorm norm, Tensor? head)
    {
        Config = config;
        Embedding = embedding;
        Blocks = blocks;
        Norm = norm;
        Head = head;
    }

    public LlamaConfig Config { get; }

    /// <summary>[vocabulary, hidden].</summary>
    public Tensor Embedding { get; }

    public IReadOnlyList<LlamaBlock> Blocks { get; }

    public RmsNorm Norm { get; }

    /// <summary>[vocabulary, hidden]; null when the embedding serves as the head.</summary>
    public Tensor? Head { get; }

    public Device Device => Embedding.device;

    /// <summary>What is computed with; a file may hold a narrower type.</summary>
    public ScalarType Dtype => Embedding.dtype;

    /// <summary>The types of the file that the model came from, by tensor; empty for a new model.</summary>
    internal IReadOnlyDictionary<string, ScalarType> FileTypes { get; set; } = new Dictionary<string, ScalarType>();

    /// <summary>What a tensor is saved as: its type in the file that it came from; a new one's, that of the embedding.</summary>
    public ScalarType FileType(string name) => FileTypes.TryGetValue(name, out var type)
        ? type
        : FileTypes.GetValueOrDefault("model.embed_tokens.weight", Dtype);

    /// <summary>The linears of the blocks, in order: what pruning and adapters work on. The head is none of them.</summary>
    public IEnumerable<Linear> Linears() => Blocks.SelectMany(block => block.Linears);

    /// <summary>Every tensor under the checkpoint's name, tied ones once, in a fixed order.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedParameters()
    {
        yield return ("model.embed_tokens.weight", Embedding);
        foreach (var block in Blocks)
        {
            yield return (block.InputNorm.Name + ".weight", block.InputNorm.Weight);
            foreach (var linear in block.Linears)
            {
                yield return (linear.Name + ".weight", linear.Weight);
                if (linear.Bias is { } bias)
                    yield return (linear.Name + ".bias", bias);
            }

            yield return (block.PostAttentionNorm.Name + ".weight", block.PostAttentionNorm.Weight);
        }

        yield return (Norm.Name + ".weight", Norm.Weight);
        if (Head is not null)
            yield return ("lm_head.weight", Head);
    }

    public long ParameterCount() => NamedParameters().Sum(parameter => parameter.Tensor.numel());

    public long NonzeroCount()
    {
        using var scope = NewDisposeScope();
        return NamedParameters().Sum(parameter => parameter.Tensor.count_nonzero().ToInt64());
    }

    /// <summary>Tables for this length, on this model's device; kept until another length is asked for.</summary>
    public Rope Rope(long length)
    {
        if (rope?.Length != length)
        {
            rope?.Dispose();
            rope = new Rope(Config, length, Dtype, Device);
        }

        return rope;
    }

    /// <param name="tokens">[B, T], int64.</param>
    /// <returns>[B, T, hidden].</returns>
    public Tensor Embed(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var rows = Embedding.index_select(0, tokens.reshape(-1));
        return rows.view(tokens.shape[0], tokens.shape[1], -1).MoveToOuterDisposeScope();
    }

    /// <summary>Norm and head.</summary>
    /// <param name="hidden">[…, hidden].</param>
    /// <returns>Logits [..., vocabulary].</returns>
    public Tensor Unembed(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return nn.functional.linear(Norm.Forward(hidden), Head ?? Embedding).MoveToOuterDisposeScope();
    }

    /// <param name="tokens">[B, T], int64.</param>
    /// <returns>[B, T, hidden], before the last norm.</returns>
    public Tensor Hidden(Tensor tokens)
    {
        var tables = Rope(tokens.shape[1]);
        using var scope = NewDisposeScope();
        var hidden = Embed(tokens);
        foreach (var block in Blocks)
        {
            var next = block.Forward(hidden, tables);
            if (!is_grad_enabled())
                hidden.Dispose();
            hidden = next;
        }

        return hidden.MoveToOuterDisposeScope();
    }

    /// <param name="tokens">[B, T], int64.</param>
    /// <returns>Logits [B, T, vocabulary].</returns>
    public Tensor Forward(Tensor tokens)
    {
        using var hidden = Hidden(tokens);
        return Unembed(hidden);
    }

    /// <summary>Mean cross entropy of each token after the first of its sequence.</summary>
    /// <param name="tokens">[B, T], int64.</param>
    /// <returns>A scalar that can be differentiated.</returns>
    public Tensor NextTokenLoss(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var logits = Forward(tokens);

        // The last position predicts nothing. Telling the loss to ignore it is cheaper than a copy of the logits without it.
        const long ignored = -100;
        var targets = full_like(tokens, ignored);
        targets.narrow(1, 0, tokens.shape[1] - 1).copy_(tokens.narrow(1, 1, tokens.shape[1] - 1));
        return nn.functional.cross_entropy(
            logits.view(-1, logits.shape[^1]), targets.view(-1), ignore_index: ignored).MoveToOuterDisposeScope();
    }

    /// <summary>Sum of the negative log-likelihoods of each token after the first of its sequence, in double.</summary>
    /// <param name="tokens">[B, T], int64.</param>
    public double NegativeLogLikelihood(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var hidden = Hidden(tokens);
        var sum = 0.0;
        for (var i = 0; i < tokens.shape[0]; i++)
        {
            using var sequence = NewDisposeScope();
            var logits = Unembed(hidden[i].narrow(0, 0, tokens.shape[1] - 1)).to(ScalarType.Float32);
            var targets = tokens[i].narrow(0, 1, tokens.shape[1] - 1).unsqueeze(-1);
            var loss = logits.logsumexp(-1).sub_(logits.gather(-1, targets).squeeze(-1));
            sum += loss.sum(ScalarType.Float64).ToDouble();
        }

        return sum;
    }

    /// <summary>The likeliest continuation.</summary>
    /// <param name="prompt">[T], int64.</param>
    public long[] Generate(Tensor prompt, int count)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var tokens = prompt.unsqueeze(0);
        var generated = new long[count];
        for (var i = 0; i < count; i++)
        {
            var last = Hidden(tokens).narrow(1, tokens.shape[1] - 1, 1);
            var next = Unembed(last).argmax(-1);
            generated[i] = next.ToInt64();
            tokens = cat([tokens, next], 1);
        }

        return generated;
    }

    public void Dispose()
    {
        foreach (var block in Blocks)
            block.Dispose();
        Embedding.Dispose();
        Norm.Dispose();
        Head?.Dispose();
        rope?.Dispose();
    }
}
