namespace Pipelines.Models;

/// <summary>A tensor that a node has.</summary>
/// <param name="Shape">Its shape in a network whose widths are these.</param>
/// <param name="Optional">Whether a checkpoint may leave it out.</param>
/// <param name="Listed">Whether it is a list of indices, which pipelines.json keeps.</param>
internal sealed record VisionTensor(string Name, long[] Shape, bool Optional = false, bool Listed = false)
{
    /// <summary>Buffers are saved with the parameters, but not trained.</summary>
    public bool IsBuffer => Listed || Optional || Name.EndsWith(".running_mean", StringComparison.Ordinal) || Name.EndsWith(".running_var", StringComparison.Ordinal);
}

/// <summary>The tensors of an image network by its graph, and the widths that tensors at hand have.</summary>
internal static class VisionTensors
{
    /// <summary>Those of one node.</summary>
    /// <param name="channels">Of its input.</param>
    /// <param name="width">Of its output.</param>
    public static IEnumerable<VisionTensor> Of(VisionNode node, int channels, int width)
    {
        switch (node.Operation)
        {
            case Operation.Convolution convolution:
                var groups = convolution.Depthwise ? channels : convolution.Groups;
                yield return new(node.Weight, [width, channels / groups, convolution.Kernel, convolution.Kernel]);
                if (convolution.Bias)
                    yield return new(node.Bias, [width]);
                break;
            case Operation.BatchNorm:
                yield return new(node.Weight, [width]);
                yield return new(node.Bias, [width]);
                yield return new(node.RunningMean, [width]);
                yield return new(node.RunningVar, [width]);
                yield return new(node.BatchesTracked, [], Optional: true);
                break;
            case Operation.Linear:
                yield return new(node.Weight, [width, channels]);
                yield return new(node.Bias, [width]);
                break;
            case Operation.PadShortcut:
                yield return new(node.Sources, [width], Listed: true);
                break;
        }
    }

    /// <summary>Those of an uncut network.</summary>
    public static IEnumerable<VisionTensor> Of(VisionGraph graph) => Of(graph, [.. graph.Nodes.Select(node => node.Channels)]);

    /// <param name="widths">Of each node's output.</param>
    public static IEnumerable<VisionTensor> Of(VisionGraph graph, IReadOnlyList<int> widths) =>
        graph.Nodes.Where(node => node.Inputs.Count > 0).SelectMany(node => Of(node, widths[node.Inputs[0]], widths[node.Index]));

    /// <summary>How wide each node's output is, by the shapes of the tensors that are there.</summary>
    /// <param name="source">Where they are from, for messages.</param>
    /// <param name="shape">Null for a tensor that is not there.</param>
    /// <exception cref="ModelException">A tensor is missing, or its shape does not go with those before it.</exception>
    public static int[] Widths(VisionGraph graph, string source, Func<string, long[]?> shape)
    {
        var widths = new int[graph.Nodes.Count];
        foreach (var node in graph.Nodes)
        {
            var inputs = node.Inputs.Select(input => widths[input]).ToArray();
            widths[node.Index] = Width(graph, node, inputs, source, shape);
            if (node.Inputs.Count == 0)
                continue;
            foreach (var wanted in Of(node, inputs[0], widths[node.Index]).Where(wanted => !wanted.Optional))
                Check(wanted, source, shape(wanted.Name));
        }

        if (widths[graph.Output.Index] != graph.Output.Channels)
            throw new ModelException($"{source}: {graph.Output.Name} has {widths[graph.Output.Index]} outputs; config.json says num_classes {graph.Output.Channels}");
        return widths;
    }

    private static int Width(VisionGraph graph, VisionNode node, int[] inputs, string source, Func<string, long[]?> shape)
    {
        switch (node.Operation)
        {
            case Operation.Image:
                return node.Channels;
            case Operation.Convolution { Depthwise: true }:
                return inputs[0];
            case Operation.Convolution or Operation.Linear:
                return First(node.Weight, node, source, shape);
            case Operation.PadShortcut:
                return First(node.Sources, node, source, shape);
            case Operation.Concat:
                return inputs.Sum();
            case Operation.Flatten:
                var from = graph.Input(node);
                return inputs[0] * from.Height * from.Width;
            case Operation.Add when inputs[0] != inputs[1]:
                throw new ModelException(
                    $"{source}: {node.Name} adds {inputs[0]} channels of {graph.Input(node).Name} to {inputs[1]} of {graph.Input(node, 1).Name}: expected as many");
            default:
                return inputs[0];
        }
    }

    private static int First(string name, VisionNode node, string source, Func<string, long[]?> shape) => shape(name) switch
    {
        null => throw Missing(name, source),
        { Length: > 0 } found when found[0] > 0 => (int)found[0],
        var found => throw new ModelException($"{source}: tensor '{name}' has shape {Text(found)}: expected {node.Channels} channels or some of them"),
    };

    private static void Check(VisionTensor wanted, string source, long[]? found)
    {
        if (found is null)
            throw Missing(wanted.Name, source);
        if (!found.SequenceEqual(wanted.Shape))
            throw new ModelException($"{source}: tensor '{wanted.Name}' has shape {Text(found)}; what it works with asks for {Text(wanted.Shape)}");
    }

    private static ModelException Missing(string name, string source) => new($"{source}: tensor '{name}' is missing");

    private static string Text(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
