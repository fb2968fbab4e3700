using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// One decoder block: attention and an MLP, each behind a norm and a residual edge; in a parallel block both read the same
/// norm. Either may be gone.
/// </summary>
public sealed class DecoderBlock : IDisposable
{
    internal const string AttentionShortcutName = "attention_shortcut";
    internal const string MlpShortcutName = "mlp_shortcut";
    internal const string RotaryPairsName = "self_attn.rotary_pairs";
    internal const string RouterName = "mlp.router";
    internal const string ExpertsName = "mlp.experts";
    internal const string AttentionOutputNormName = "attention_output_norm";
    internal const string MlpOutputNormName = "mlp_output_norm";
    internal const string ReadsName = "reads";
    internal const string WritesName = "writes";

    public required Norm AttentionNorm { get; init; }

    /// <summary>Null where it was removed: the residual edge alone is left.</summary>
    public Attention? Attention { get; private set; }

    /// <summary>Null for a parallel block, whose MLP reads what the attention reads.</summary>
    public required Norm? MlpNorm { get; init; }

    /// <summary>Null where it was removed.</summary>
    public Mlp? Mlp { get; private set; }

    /// <summary>Behind the attention, before the residual edge; null for none. A block with shared weights has one (FlexiGPT, arXiv:2501.14713).</summary>
    public Norm? AttentionOutputNorm { get; init; }

    /// <summary>Likewise behind the MLP.</summary>
    public Norm? MlpOutputNorm { get; init; }

    /// <summary>[width before, width after]: turns the residual stream on its way past the attention, or in a parallel block past both halves; null for none (SliceGPT, arXiv:2401.15024).</summary>
    public Tensor? AttentionShortcut { get; private set; }

    /// <summary>Likewise past the MLP.</summary>
    public Tensor? MlpShortcut { get; private set; }

    public DecoderBlock(Attention? attention, Mlp? mlp) => (Attention, Mlp) = (attention, mlp);

    /// <summary>In the order of computation.</summary>
    public IReadOnlyList<Linear> Linears => [.. Attention?.Linears ?? [], .. Mlp?.Linears ?? []];

    public IEnumerable<Norm> Norms => new[] { AttentionNorm, MlpNorm, AttentionOutputNorm, MlpOutputNorm }.OfType<Norm>();

    /// <summary>Under their names in a checkpoint, in a fixed order.</summary>
    /// <param name="name">The block's.</param>
    public IEnumerable<(string Name, Tensor Tensor)> NamedParameters(string name)
    {
        foreach (var parameter in AttentionNorm.NamedParameters())
            yield return parameter;
        foreach (var parameter in Linears.SelectMany(linear => linear.NamedParameters()))
            yield return parameter;
        foreach (var parameter in Mlp?.Experts?.Router.NamedParameters() ?? [])
            yield return parameter;
        foreach (var parameter in Norms.Skip(1).SelectMany(norm => norm.NamedParameters()))
            yield return parameter;
        if (AttentionShortcut is not null)
            yield return ($"{name}.{AttentionShortcutName}", AttentionShortcut);
        if (MlpShortcut is not null)
            yield return ($"{name}.{MlpShortcutName}", MlpShortcut);
    }

    /// <summary>Index tensors, int64.</summary>
    /// <param name="name">The block's.</param>
    public IEnumerable<(string Name, Tensor Tensor)> NamedBuffers(string name)
    {
        foreach (var linear in Linears)
        {
            if (linear.Reads is not null)
                yield return ($"{linear.Name}.{ReadsName}", linear.Reads);
            if (linear.Writes is not null)
                yield return ($"{linear.Name}.{WritesName}", linear.Writes);
        }

        if (Attention?.RotaryPairs is { } pairs)
            yield return ($"{name}.{RotaryPairsName}", pairs);
        if (Mlp?.Experts is { } experts)
            yield return ($"{name}.{ExpertsName}", experts.Members);
    }

    public void RemoveAttention()
    {
        Attention?.Dispose();
        Attention = null;
    }

    public void RemoveMlp()
    {
        Mlp?.Dispose();
        Mlp = null;
    }

    public void SetAttentionShortcut(Tensor shortcut)
    {
        AttentionShortcut?.Dispose();
        AttentionShortcut = shortcut.DetachFromDisposeScope();
    }

    public void SetMlpShortcut(Tensor shortcut)
    {
        MlpShortcut?.Dispose();
        MlpShortcut = shortcut.DetachFromDisposeScope();
    }

    /// <param name="hidden">[B, T, hidden]. Left as it is.</param>
    /// <param name="hook">Is shown what every linear reads and makes.</param>
    /// <param name="past">The attention's keys and values of the positions before, which these are added to.</param>
    /// <returns>[B, T, hidden].</returns>
    public Tensor Forward(Tensor hidden, Positions positions, LinearHook? hook = null, KeyValues? past = null)
    {
        using var scope = NewDisposeScope();
        var read = AttentionNorm.Forward(hidden);
        var attended = Attended(hidden, read, positions, hook, past);
        var mixed = Normed(Present(Mlp, hook)?.Forward(MlpNorm?.Forward(attended) ?? read, hook), MlpOutputNorm);
        var result = Add(mixed, attended, MlpShortcut);

        // A block with nothing left in it passes its input on; the caller owns what it gets.
        return (ReferenceEquals(result, hidden) ? hidden.alias() : result).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Shows every linear's input without computing what the last one makes of it: for measuring a block that will be
    /// changed before it is run.
    /// </summary>
    public void Observe(Tensor hidden, Positions positions, LinearHook hook)
    {
        using var scope = NewDisposeScope();
        var read = AttentionNorm.Forward(hidden);
        var attended = Attended(hidden, read, positions, hook);
        if (Present(Mlp, hook) is { } mlp)
            hook.Before(mlp.Down, mlp.Neurons(MlpNorm?.Forward(attended) ?? read, hook));
    }

    public void Dispose()
    {
        foreach (var norm in Norms)
            norm.Dispose();
        Attention?.Dispose();
        Mlp?.Dispose();
        AttentionShortcut?.Dispose();
        MlpShortcut?.Dispose();
    }

    /// <summary>After the block has moved.</summary>
    /// <param name="name">The block's new one, which takes the place of as many parts of the old.</param>
    internal void Rename(string name)
    {
        var parts = name.Count(letter => letter == '.') + 1;
        foreach (var norm in Norms)
            norm.Name = Moved(norm.Name);
        foreach (var linear in Linears.Concat(Mlp?.Experts is { } experts ? [experts.Router] : []))
            linear.Name = Moved(linear.Name);

        string Moved(string old) => $"{name}.{string.Join('.', old.Split('.').Skip(parts))}";
    }

    private Tensor Attended(Tensor hidden, Tensor read, Positions positions, LinearHook? hook, KeyValues? past = null) =>
        Add(Normed(Present(Attention, hook)?.Forward(read, positions, hook, past), AttentionOutputNorm), hidden, AttentionShortcut);

    private static T? Present<T>(T? half, LinearHook? hook)
        where T : class => half is null || hook?.Skips(half) == true ? null : half;

    private static Tensor? Normed(Tensor? x, Norm? norm) => x is null || norm is null ? x : norm.Forward(x);

    // The left side is fresh, so without a gradient it can take the sum.
    private static Tensor Add(Tensor? fresh, Tensor residual, Tensor? shortcut)
    {
        var kept = shortcut is null ? residual : residual.matmul(shortcut);
        if (fresh is null)
            return kept;
        return is_grad_enabled() ? fresh + kept : fresh.add_(kept);
    }
}
