namespace Pipelines.Models;

/// <summary>The coupled groups of a language model: grouped queries, gates and biases are its business, not a method's.</summary>
public static class ModelUnits
{
    /// <summary>The KV groups and the neurons of every block, in order.</summary>
    /// <exception cref="ModelException">Blocks share weights, or experts their neurons: a cut in one would be one in others.</exception>
    public static IEnumerable<LinearSite> Sites(this CausalLM model) =>
        Enumerable.Range(0, model.Blocks.Count).SelectMany(index => model.Sites(index));

    /// <summary>Those of one block.</summary>
    public static IEnumerable<LinearSite> Sites(this CausalLM model, int block)
    {
        var (attention, mlp) = (model.Blocks[block].Attention, model.Blocks[block].Mlp);
        if (model.Blocks[block].Linears.Any(linear => linear.Shared is not null))
            throw new ModelException($"block {block} has the weights of another: its units cannot be cut by themselves");
        if (mlp?.Experts is not null)
            throw new ModelException($"block {block} has experts, which share its neurons: they cannot be cut by themselves");
        if (attention is not null)
            yield return Groups(attention, block);
        if (mlp is not null)
            yield return Neurons(mlp, block);
    }

    /// <summary>A KV head with its query heads; query head h reads KV head h / group.</summary>
    public static LinearSite Groups(Attention attention, int block)
    {
        var shared = attention.QueryHeads / attention.KeyValueHeads;
        return new LinearSite(
            Part(attention.Query.Name), UnitKind.KeyValueGroup, block, attention.KeyValueHeads,
            [
                Row(attention.Query, shared * attention.KeyDim), Row(attention.Key, attention.KeyDim),
                Row(attention.Value, attention.ValueDim), Column(attention.Output, shared * attention.ValueDim),
            ]);
    }

    public static LinearSite Neurons(Mlp mlp, int block) => new(
        Part(mlp.Up.Name), UnitKind.Neuron, block, mlp.IntermediateSize,
        mlp.Gate is null ? [Row(mlp.Up, 1), Column(mlp.Down, 1)] : [Row(mlp.Gate, 1), Row(mlp.Up, 1), Column(mlp.Down, 1)]);

    private static LinearMember Row(Linear linear, int width) => new(linear, 0, Consecutive(width));

    private static LinearMember Column(Linear linear, int width) => new(linear, 1, Consecutive(width));

    private static Func<int, IEnumerable<long>> Consecutive(int width) =>
        unit => Enumerable.Range(unit * width, width).Select(index => (long)index);

    private static string Part(string linear)
    {
        var end = linear.LastIndexOf('.');
        return end < 0 ? linear : linear[..end];
    }
}
