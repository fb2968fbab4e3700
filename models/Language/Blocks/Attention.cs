using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// Causal attention with grouped queries: query head h reads KV head h / group. Heads may have another width for queries
/// and keys than for values, which pruning gives them.
/// </summary>
public sealed class Attention : IDisposable
{
    // Fewer would waste the products on edges, more would compute scores that the mask throws away (docs/log.md).
    private const long RowsTogether = 128;

    public required Linear Query { get; init; }

    public required Linear Key { get; init; }

    public required Linear Value { get; init; }

    public required Linear Output { get; init; }

    /// <summary>Channels of a query and of a key head.</summary>
    public required int KeyDim { get; set; }

    /// <summary>Channels of a value head.</summary>
    public required int ValueDim { get; set; }

    /// <summary>What the scores are multiplied by: 1/√head_dim of the model as it was trained, however narrow its heads became.</summary>
    public required double Scale { get; init; }

    /// <summary>Whether a query sees a window of keys only.</summary>
    public bool Windowed { get; init; }

    /// <summary>[KV heads, pairs], int64: the rotary pairs that are left of each head, before the channels that do not turn; null for all of them.</summary>
    public Tensor? RotaryPairs { get; private set; }

    public int KeyValueHeads => (int)(Key.Weight.shape[0] / KeyDim);

    public int QueryHeads => (int)(Query.Weight.shape[0] / KeyDim);

    /// <summary>In the order of computation.</summary>
    public IReadOnlyList<Linear> Linears => [Query, Key, Value, Output];

    /// <param name="pairs">[KV heads, pairs], int64.</param>
    public void SetRotaryPairs(Tensor pairs)
    {
        RotaryPairs?.Dispose();
        RotaryPairs = pairs.DetachFromDisposeScope();
    }

    /// <param name="x">[B, T, hidden], after the norm.</param>
    /// <param name="past">What went before, which x is added to; null where x begins the sequence and nothing follows it.</param>
    /// <returns>[B, T, hidden], before the residual edge.</returns>
    public Tensor Forward(Tensor x, Positions positions, LinearHook? hook, KeyValues? past = null)
    {
        using var scope = NewDisposeScope();
        var (batch, length) = (x.shape[0], x.shape[1]);
        var start = past?.Length ?? 0;
        var query = positions.Turn(Heads(Query, QueryHeads, KeyDim), RotaryPairs, start);
        var key = positions.Turn(Heads(Key, KeyValueHeads, KeyDim), RotaryPairs, start);
        var value = Heads(Value, KeyValueHeads, ValueDim);
        var mask = (Windowed ? positions.Windowed : null) ?? positions.Mask;
        if (past is not null)
        {
            past.Append(key, value);
            if (length == 1)
                return Output.Forward(Next(query, past, mask), hook).MoveToOuterDisposeScope();
            (key, value) = (past.Keys.transpose(1, 2), past.Values.transpose(1, 2));
            mask = mask.narrow(0, start, length);
        }

        // One sequence at a time: its scores stay in the cache, and its heads are views that need no copy.
        var mixed = new Tensor[batch];
        for (var i = 0; i < batch; i++)
            mixed[i] = Mix(query[i], key[i], value[i], mask);
        var all = batch == 1 ? mixed[0].unsqueeze(0) : stack(mixed);
        return Output.Forward(all, hook).MoveToOuterDisposeScope();

        Tensor Heads(Linear linear, int heads, int width) => linear.Forward(x, hook).view(batch, length, heads, width);
    }

    public void Dispose()
    {
        foreach (var linear in Linears)
            linear.Dispose();
        RotaryPairs?.Dispose();
    }

    /// <summary>
    /// Attention of one sequence, some rows at a time: none of them looks past its own end, so of the square of scores
    /// little more than the lower half is computed and held.
    /// </summary>
    /// <param name="query">[T, query heads, KeyDim].</param>
    /// <param name="key">[P + T, KV heads, KeyDim], those of P positions before among them.</param>
    /// <param name="value">[P + T, KV heads, ValueDim].</param>
    /// <param name="mask">[T, at least P + T].</param>
    /// <returns>[T, query heads · ValueDim].</returns>
    private Tensor Mix(Tensor query, Tensor key, Tensor value, Tensor mask)
    {
        using var scope = NewDisposeScope();
        var length = query.shape[0];
        var before = key.shape[0] - length;
        var (queries, keys, values) = (query.transpose(0, 1), Shared(key), Shared(value));
        var parts = new List<Tensor>();
        for (long start = 0; start < length; start += RowsTogether)
        {
            var rows = Math.Min(RowsTogether, length - start);
            var seen = before + start + rows;
            var scores = baddbmm(
                mask.narrow(0, start, rows).narrow(1, 0, seen), queries.narrow(1, start, rows),
                keys.narrow(1, 0, seen).transpose(1, 2), 1, (float)Scale);
            parts.Add(Weights(scores).bmm(values.narrow(1, 0, seen)));
        }

        var mixed = parts is [var only] ? only : cat(parts, 1);
        return mixed.transpose(0, 1).reshape(length, -1).MoveToOuterDisposeScope();

        // Query head h reads KV head h / group.
        Tensor Shared(Tensor heads) => QueryHeads == KeyValueHeads
            ? heads.transpose(0, 1)
            : heads.transpose(0, 1).repeat_interleave(QueryHeads / KeyValueHeads, 0);
    }

    /// <summary>Attention of the last position: the query heads of a KV head are the rows of one product, and no key is copied.</summary>
    /// <param name="query">[B, 1, query heads, KeyDim].</param>
    /// <returns>[B, 1, query heads · ValueDim].</returns>
    private Tensor Next(Tensor query, KeyValues past, Tensor mask)
    {
        using var scope = NewDisposeScope();
        var (batch, seen) = (query.shape[0], past.Length);
        var rows = query.view(batch * KeyValueHeads, -1, KeyDim);
        var keys = past.Keys.flatten(0, 1);
        var scores = baddbmm(
            mask.narrow(0, seen - 1, 1).narrow(1, 0, seen).unsqueeze(0), rows, keys.transpose(1, 2), 1, (float)Scale);
        return Weights(scores).bmm(past.Values.flatten(0, 1)).view(batch, 1, -1).MoveToOuterDisposeScope();
    }

    private static Tensor Weights(Tensor scores) => scores.dtype is ScalarType.Float16 or ScalarType.BFloat16
        ? scores.softmax(-1, ScalarType.Float32).to(scores.dtype)
        : scores.softmax(-1);
}
