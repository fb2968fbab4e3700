using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>One decoder block: attention with grouped queries, then a gated MLP, each behind a norm and a residual edge.</summary>
public sealed class LlamaBlock : IDisposable
{
    // Fewer would waste the products on edges, more would compute scores that the mask throws away (docs/log.md).
    private const long RowsTogether = 128;

    public required RmsNorm InputNorm { get; init; }

    public required Linear Query { get; init; }

    public required Linear Key { get; init; }

    public required Linear Value { get; init; }

    public required Linear Output { get; init; }

    public required RmsNorm PostAttentionNorm { get; init; }

    public required Linear Gate { get; init; }

    public required Linear Up { get; init; }

    public required Linear Down { get; init; }

    public required int HeadDim { get; init; }

    /// <summary>In the order of computation.</summary>
    public IReadOnlyList<Linear> Linears => [Query, Key, Value, Output, Gate, Up, Down];

    public int KeyValueHeads => (int)(Key.Weight.shape[0] / HeadDim);

    public int QueryHeads => (int)(Query.Weight.shape[0] / HeadDim);

    public int IntermediateSize => (int)Gate.Weight.shape[0];

    /// <param name="hidden">[B, T, hidden]. Left as it is.</param>
    /// <param name="observe">Is shown every linear and its input [B, T, in].</param>
    /// <returns>[B, T, hidden].</returns>
    public Tensor Forward(Tensor hidden, Rope rope, Action<Linear, Tensor>? observe = null)
    {
        using var scope = NewDisposeScope();
        var attended = Add(Attention(hidden, rope, observe), hidden);
        return Add(Down.Forward(Gated(attended, observe), observe), attended).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Shows every linear's input without computing what the last one makes of it: for measuring a block that will be
    /// changed before it is run.
    /// </summary>
    public void Observe(Tensor hidden, Rope rope, Action<Linear, Tensor> observe)
    {
        using var scope = NewDisposeScope();
        observe(Down, Gated(Add(Attention(hidden, rope, observe), hidden), observe));
    }

    public void Dispose()
    {
        InputNorm.Dispose();
        PostAttentionNorm.Dispose();
        foreach (var linear in Linears)
            linear.Dispose();
    }

    private Tensor Attention(Tensor hidden, Rope rope, Action<Linear, Tensor>? observe)
    {
        using var scope = NewDisposeScope();
        var (batch, length) = (hidden.shape[0], hidden.shape[1]);
        var x = InputNorm.Forward(hidden);
        var query = rope.Turn(Heads(Query.Forward(x, observe), QueryHeads));
        var key = rope.Turn(Heads(Key.Forward(x, observe), KeyValueHeads));
        var value = Heads(Value.Forward(x, observe), KeyValueHeads);

        // One sequence at a time: its scores stay in the cache, and its heads are views that need no copy.
        var mixed = new Tensor[batch];
        for (var i = 0; i < batch; i++)
            mixed[i] = Mix(query[i], key[i], value[i], rope.Mask);
        var all = batch == 1 ? mixed[0].unsqueeze(0) : stack(mixed);
        return Output.Forward(all, observe).MoveToOuterDisposeScope();

        Tensor Heads(Tensor projected, int heads) => projected.view(batch, length, heads, HeadDim);
    }

    /// <summary>
    /// Attention of one sequence, some rows at a time: none of them looks past its own end, so of the square of scores
    /// little more than the lower half is computed and held.
    /// </summary>
    /// <param name="query">[T, query heads, head_dim].</param>
    /// <param name="key">[T, KV heads, head_dim].</param>
    /// <param name="value">[T, KV heads, head_dim].</param>
    /// <returns>[T, query heads · head_dim].</returns>
    private Tensor Mix(Tensor query, Tensor key, Tensor value, Tensor mask)
    {
        using var scope = NewDisposeScope();
        var length = query.shape[0];
        var (queries, keys, values) = (query.transpose(0, 1), Shared(key), Shared(value));
        var parts = new List<Tensor>();
        for (long start = 0; start < length; start += RowsTogether)
        {
            var rows = Math.Min(RowsTogether, length - start);
            var seen = start + rows;
            var scores = baddbmm(
                mask.narrow(0, start, rows).narrow(1, 0, seen), queries.narrow(1, start, rows),
                keys.narrow(1, 0, seen).transpose(1, 2), 1, 1 / MathF.Sqrt(HeadDim));
            var weights = scores.dtype is ScalarType.Float16 or ScalarType.BFloat16
                ? scores.softmax(-1, ScalarType.Float32).to(scores.dtype)
                : scores.softmax(-1);
            parts.Add(weights.bmm(values.narrow(1, 0, seen)));
        }

        var mixed = parts is [var only] ? only : cat(parts, 1);
        return mixed.transpose(0, 1).reshape(length, -1).MoveToOuterDisposeScope();

        // Query head h reads KV head h / group.
        Tensor Shared(Tensor heads) => QueryHeads == KeyValueHeads
            ? heads.transpose(0, 1)
            : heads.transpose(0, 1).repeat_interleave(QueryHeads / KeyValueHeads, 0);
    }

    private Tensor Gated(Tensor attended, Action<Linear, Tensor>? observe)
    {
        using var scope = NewDisposeScope();
        var x = PostAttentionNorm.Forward(attended);
        var gate = Gate.Forward(x, observe);
        var up = Up.Forward(x, observe);
        var gated = is_grad_enabled() ? nn.functional.silu(gate) * up : nn.functional.silu(gate, inplace: true).mul_(up);
        return gated.MoveToOuterDisposeScope();
    }

    // The left side is fresh, so without a gradient it can take the sum.
    private static Tensor Add(Tensor fresh, Tensor residual) => is_grad_enabled() ? fresh + residual : fresh.add_(residual);
}
