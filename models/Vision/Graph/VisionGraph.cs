namespace Pipelines.Models;

/// <summary>
/// An image network without its tensors: nodes in an order in which each comes after its inputs. It says what an uncut
/// network is like; how wide one is really is in its tensors' shapes.
/// </summary>
/// <param name="nodes">The first is the image, the last the output.</param>
public sealed class VisionGraph(int imageSize, IReadOnlyList<VisionNode> nodes)
{
    public const int ImageChannels = 3;

    public IReadOnlyList<VisionNode> Nodes => nodes;

    public VisionNode Output => nodes[^1];

    /// <summary>Height and width of the images that operations are counted for.</summary>
    public int ImageSize => imageSize;

    public VisionNode Input(VisionNode node, int index = 0) => nodes[node.Inputs[index]];

    /// <summary>The nodes that take a node's output.</summary>
    public IEnumerable<VisionNode> Consumers(VisionNode node) => nodes.Where(other => other.Inputs.Contains(node.Index));
}
