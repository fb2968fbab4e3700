using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// A decoder-only language model for inference and training, of any architecture that <see cref="CausalConfig"/> reads, with
/// a shape of its own for every block. Tensors carry Hugging Face's names.
/// </summary>
public sealed class CausalLM : IDisposable
{
    private readonly List<DecoderBlock> blocks;
    private Positions? positions;

    public CausalLM(CausalConfig config, Tensor embedding, IEnumerable<DecoderBlock> blocks, Norm norm)
    {
        Config = config;
        Embedding = embedding;
        this.blocks = [.. blocks];
        Norm = norm;
    }

    public CausalConfig Config { get; }

    /// <summary>[vocabulary, hidden].</summary>
    public Tensor Embedding { get; private set; }

    /// <summary>[offset + positions, hidden]; null for a model that has none.</summary>
    public Tensor? PositionEmbedding { get; private set; }

    public IReadOnlyList<DecoderBlock> Blocks => blocks;

    public Norm Norm { get; }

    /// <summary>[vocabulary, hidden]; null when the embedding serves as the head.</summary>
    public Tensor? Head { get; private set; }

    /// <summary>[vocabulary]; null for none.</summary>
    public Tensor? HeadBias { get; init; }

    public Device Device => Embedding.device;

    /// <summary>What is computed with; a file may hold a narrower type.</summary>
    public ScalarType Dtype => Embedding.dtype;

    /// <summary>The types of the file that the model came from, by tensor; empty for a new model.</summary>
    internal IReadOnlyDictionary<string, ScalarType> FileTypes { get; set; } = new Dictionary<string, ScalarType>();

    /// <summary>What a tensor is saved as: its type in the file that it came from; a new one's, that of the embedding.</summary>
    public ScalarType FileType(string name) => FileTypes.TryGetValue(name, out var type)
        ? type
        : FileTypes.GetValueOrDefault($"{Config.Names.Embedding}.weight", Dtype);

    /// <summary>The linears of the blocks, in order: what pruning and adapters work on. The head is none of them.</summary>
    public IEnumerable<Linear> Linears() => Blocks.SelectMany(block => block.Linears);

    /// <summary>Every parameter under the checkpoint's name, tied ones once, in a fixed order.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedParameters()
    {
        yield return ($"{Config.Names.Embedding}.weight", Embedding);
        if (PositionEmbedding is not null)
            yield return ($"{Config.Names.Positions}.weight", PositionEmbedding);
        foreach (var (index, block) in blocks.Index())
        {
            foreach (var parameter in block.NamedParameters(Config.Names.Layer(index)))
                yield return parameter;
        }

        foreach (var parameter in Norm.NamedParameters())
            yield return parameter;
        if (Head is not null)
            yield return ($"{Config.Names.Head}.weight", Head);
        if (HeadBias is not null)
            yield return ($"{Config.Names.Head}.bias", HeadBias);
    }

    /// <summary>The index tensors that go with the parameters: which channels are read, written and turned.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedBuffers() =>
        blocks.SelectMany((block, index) => block.NamedBuffers(Config.Names.Layer(index)));

    /// <summary>Removes blocks; those behind move up, and so do their names.</summary>
    /// <exception cref="ModelException">A block that stays uses the weights of a removed one; then none is removed.</exception>
    public void RemoveBlocks(IEnumerable<int> removed)
    {
        int[] gone = [.. removed.Distinct().OrderDescending()];
        var kept = blocks.Index().Where(block => !gone.Contains(block.Index)).SelectMany(block => block.Item.Linears).ToArray();

        // Nothing is disposed before all of them may go.
        foreach (var index in gone)
        {
            var own = blocks[index].Linears;
            if (kept.Any(linear => linear.Shared is { } shared && own.Contains(shared)))
                throw new ModelException($"block {index} cannot go: others use its weights");
        }

        foreach (var index in gone)
        {
            blocks[index].Dispose();
            blocks.RemoveAt(index);
        }

        foreach (var (index, block) in blocks.Index())
            block.Rename(Config.Names.Layer(index));
    }

    /// <summary>Puts a block in another's place, which is disposed.</summary>
    public void ReplaceBlock(int index, DecoderBlock replacement)
    {
        blocks[index].Dispose();
        blocks[index] = replacement;
    }

    /// <summary>Puts a block before the one at <paramref name="index"/>; that and those behind move up, and so do their names.</summary>
    public void InsertBlock(int index, DecoderBlock block)
    {
        blocks.Insert(index, block);
        foreach (var (position, one) in blocks.Index())
            one.Rename(Config.Names.Layer(position));
    }

    /// <summary>Takes the embedding's place, and disposes the old one.</summary>
    public void SetEmbedding(Tensor replacement)
    {
        Embedding.Dispose();
        Embedding = replacement.DetachFromDisposeScope();
    }

    /// <summary>Takes the position embedding's place, and disposes the old one.</summary>
    public void SetPositionEmbedding(Tensor replacement)
    {
        PositionEmbedding?.Dispose();
        PositionEmbedding = replacement.DetachFromDisposeScope();
    }

    /// <summary>Takes the head's place, and disposes the old one; a tied head is untied by it.</summary>
    public void SetHead(Tensor replacement)
    {
        Head?.Dispose();
        Head = replacement.DetachFromDisposeScope();
    }

    public long ParameterCount() => NamedParameters().Sum(parameter => parameter.Tensor.numel());

    public long NonzeroCount()
    {
        using var scope = NewDisposeScope();
        return NamedParameters().Sum(parameter => parameter.Tensor.count_nonzero().ToInt64());
    }

    /// <summary>Tables for this length, on this model's device; kept until another length is asked for.</summary>
    public Positions Positions(long length)
    {
        if (positions?.Length != length)
        {
            positions?.Dispose();
            positions = new Positions(Config, length, Dtype, Device);
        }

        return positions;
    }

    /// <param name="tokens">[B, T], int64.</param>
    /// <param name="start">The position of the first.</param>
    /// <returns>[B, T, hidden].</returns>
    public Tensor Embed(Tensor tokens, long start = 0)
    {
        using var scope = NewDisposeScope();
        return Placed(Rows(tokens), start).MoveToOuterDisposeScope();
    }

    /// <summary>The tokens' rows of the embedding, without positions.</summary>
    /// <param name="tokens">[B, T], int64.</param>
    /// <returns>[B, T, hidden].</returns>
    public Tensor Rows(Tensor tokens)
    {
        using var flat = tokens.reshape(-1);
        using var rows = Embedding.index_select(0, flat);
        return rows.view(tokens.shape[0], tokens.shape[1], -1);
    }

    /// <summary>With the rows of the position embedding, where there is one: what the first block reads.</summary>
    /// <param name="rows">[B, T, hidden], of the embedding or what stands in their place.</param>
    /// <param name="start">The position of the first.</param>
    /// <returns>[B, T, hidden].</returns>
    public Tensor Placed(Tensor rows, long start = 0) => PositionEmbedding is null
        ? rows.alias()
        : rows + PositionEmbedding.narrow(0, Config.PositionOffset + start, rows.shape[1]);

    /// <summary>Norm and head.</summary>
    /// <param name="hidden">[…, hidden].</param>
    /// <returns>Logits [..., vocabulary].</returns>
    public Tensor Unembed(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return nn.functional.linear(Norm.Forward(hidden), Head ?? Embedding, HeadBias).MoveToOuterDisposeScope();
    }

    /// <param name="tokens">[B, T], int64.</param>
    /// <param name="hook">Is shown what every linear of the blocks reads and makes.</param>
    /// <returns>[B, T, hidden], before the last norm.</returns>
    public Tensor Hidden(Tensor tokens, LinearHook? hook = null)
    {
        using var embedded = Embed(tokens);
        return HiddenOf(embedded, hook);
    }

    /// <summary>The same for what the first block reads, whether it stands for tokens or not.</summary>
    /// <param name="embedded">[B, T, hidden], with positions. Left as it is.</param>
    /// <returns>[B, T, hidden], before the last norm.</returns>
    public Tensor HiddenOf(Tensor embedded, LinearHook? hook = null)
    {
        var tables = Positions(embedded.shape[1]);
        using var scope = NewDisposeScope();
        var hidden = embedded.alias();
        foreach (var block in Blocks)
        {
            var next = block.Forward(hidden, tables, hook);
            if (!is_grad_enabled())
                hidden.Dispose();
            hidden = next;
        }

        return hidden.MoveToOuterDisposeScope();
    }

    /// <summary>The same for tokens that follow those which the cache has seen; they are in it afterwards.</summary>
    /// <param name="tokens">[B, T], int64.</param>
    /// <returns>[B, T, hidden], before the last norm.</returns>
    /// <exception cref="ModelException">The cache has no room for them.</exception>
    public Tensor Hidden(Tensor tokens, KeyValueCache cache)
    {
        using var ungraded = no_grad();
        using var embedded = Embed(tokens, cache.Length);
        return HiddenOf(embedded, cache);
    }

    /// <summary>The same for what the first block reads.</summary>
    /// <param name="embedded">[B, T, hidden], with positions. Left as it is.</param>
    /// <exception cref="ModelException">The cache has no room for them.</exception>
    public Tensor HiddenOf(Tensor embedded, KeyValueCache cache)
    {
        if (cache.Length + embedded.shape[1] > cache.Capacity)
            throw new ModelException($"the cache holds {cache.Length} of {cache.Capacity} positions: no room for {embedded.shape[1]} more");
        var tables = Positions(cache.Capacity);
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var hidden = embedded.alias();
        foreach (var (index, block) in blocks.Index())
        {
            var next = block.Forward(hidden, tables, null, cache[index]);
            hidden.Dispose();
            hidden = next;
        }

        cache.Advance(embedded.shape[1]);
        return hidden.MoveToOuterDisposeScope();
    }

    /// <param name="tokens">[B, T], int64.</param>
    /// <returns>What each block makes, [B, T, hidden], in order; the last is what <see cref="Hidden(Tensor, LinearHook?)"/> gives.</returns>
    public IReadOnlyList<Tensor> HiddenStates(Tensor tokens)
    {
        var tables = Positions(tokens.shape[1]);
        using var scope = NewDisposeScope();
        var hidden = Embed(tokens);
        return [.. Blocks.Select(block => (hidden = block.Forward(hidden, tables)).MoveToOuterDisposeScope())];
    }

    /// <param name="tokens">[B, T], int64.</param>
    /// <returns>Logits [B, T, vocabulary].</returns>
    public Tensor Forward(Tensor tokens, LinearHook? hook = null)
    {
        using var hidden = Hidden(tokens, hook);
        return Unembed(hidden);
    }

    /// <summary>Mean cross entropy of each token after the first of its sequence.</summary>
    /// <param name="tokens">[B, T], int64.</param>
    /// <returns>A scalar that can be differentiated.</returns>
    public Tensor NextTokenLoss(Tensor tokens, LinearHook? hook = null)
    {
        using var scope = NewDisposeScope();
        return CrossEntropy(Forward(tokens, hook), tokens).MoveToOuterDisposeScope();
    }

    /// <summary>Mean cross entropy of each token after the first of its sequence.</summary>
    /// <param name="logits">[B, T, vocabulary].</param>
    /// <param name="tokens">[B, T], int64.</param>
    public static Tensor CrossEntropy(Tensor logits, Tensor tokens)
    {
        using var scope = NewDisposeScope();

        // The last position predicts nothing. Telling the loss to ignore it is cheaper than a copy of the logits without it.
        const long ignored = -100;
        var targets = full_like(tokens, ignored);
        targets.narrow(1, 0, tokens.shape[1] - 1).copy_(tokens.narrow(1, 1, tokens.shape[1] - 1));
        return nn.functional.cross_entropy(
            logits.view(-1, logits.shape[^1]), targets.view(-1), ignore_index: ignored).MoveToOuterDisposeScope();
    }

    /// <summary>Sum of the negative log-likelihoods of each token after the first of its sequence, in double.</summary>
    /// <param name="tokens">[B, T], int64.</param>
    public double NegativeLogLikelihood(Tensor tokens, LinearHook? hook = null)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var hidden = Hidden(tokens, hook);
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
        return Continue(prompt.unsqueeze(0), count).cpu().data<long>().ToArray();
    }

    /// <summary>The likeliest continuation of each of several prompts.</summary>
    /// <param name="prompts">[B, T], int64.</param>
    /// <param name="before">[B, N, hidden]: rows that stand before those of the prompt's tokens; null for none.</param>
    /// <returns>[B, count], int64.</returns>
    public Tensor Continue(Tensor prompts, int count, Tensor? before = null)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var rows = before is null ? Rows(prompts) : cat([before, Rows(prompts)], 1);
        using var cache = new KeyValueCache(this, prompts.shape[0], rows.shape[1] + count);
        var generated = empty([prompts.shape[0], count], dtype: ScalarType.Int64, device: prompts.device);
        var embedded = Placed(rows);
        for (var i = 0; i < count; i++)
        {
            using var step = NewDisposeScope();
            var tokens = Unembed(HiddenOf(embedded, cache).narrow(1, -1, 1)).argmax(-1);
            generated.narrow(1, i, 1).copy_(tokens);
            if (i + 1 < count)
                embedded = Embed(tokens, cache.Length).MoveToOuterDisposeScope();
        }

        return generated.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var block in Blocks)
            block.Dispose();
        Embedding.Dispose();
        PositionEmbedding?.Dispose();
        Norm.Dispose();
        Head?.Dispose();
        HeadBias?.Dispose();
        positions?.Dispose();
    }
}
