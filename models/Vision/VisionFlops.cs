namespace Pipelines.Models;

/// <summary>
/// Multiply-adds of a forward pass for one image, by the convention <c>macs-1</c>: those of convolutions and linears, at the
/// config's image size; nothing for norms, biases, activations, sums and pools.
/// </summary>
public static class VisionFlops
{
    public const string Convention = "macs-1";

    public static double Macs(ImageClassifier network) => Weights(network).Sum(weight => network[weight.Node.Weight].numel() * weight.Uses);

    /// <summary>Those of each convolution and linear, in the order of the network.</summary>
    public static IReadOnlyList<(VisionNode Node, double Macs)> ByNode(ImageClassifier network) =>
        [.. Weights(network).Select(weight => (weight.Node, network[weight.Node.Weight].numel() * weight.Uses))];

    /// <summary>What the tensors of a network cost, cut to any widths.</summary>
    public static UnitCosts Costs(ImageClassifier network)
    {
        var uses = Weights(network).ToDictionary(weight => weight.Node.Weight, weight => weight.Uses);
        return new UnitCosts(network.NamedParameters().Select(tensor => (tensor.Name, tensor.Tensor.shape, uses.GetValueOrDefault(tensor.Name))));
    }

    private static IEnumerable<(VisionNode Node, double Uses)> Weights(ImageClassifier network) => network.Graph.Nodes
        .Where(node => node.Operation is Operation.Convolution or Operation.Linear).Select(node => (node, (double)node.Height * node.Width));
}
