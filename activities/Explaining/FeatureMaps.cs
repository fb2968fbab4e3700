using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Explaining;

/// <summary>
/// The feature maps of a network that a selector reads: at each of its three smallest sizes the last one outside of blocks, or,
/// where a network has no blocks, the last one.
/// </summary>
public sealed class FeatureMaps
{
    private const int Sizes = 3;

    private readonly (VisionNode Node, string? Reader)[] places;

    /// <exception cref="StageException">The network has fewer sizes.</exception>
    public FeatureMaps(VisionGraph graph)
    {
        var sizes = graph.Nodes.Where(IsFeature).GroupBy(node => (node.Height, node.Width)).TakeLast(Sizes).ToArray();
        if (sizes.Length < Sizes)
            throw new StageException($"the network has feature maps of {sizes.Length} sizes: its explanations need those of {Sizes}");
        places =
        [
            .. sizes.Select(size => size.LastOrDefault(node => !IsInner(graph, node)) ?? size.Last())
                .Select(node => (node, Reader(graph, node)?.Name)),
        ];
    }

    /// <summary>From the largest to the smallest.</summary>
    public IReadOnlyList<VisionNode> Nodes => [.. places.Select(place => place.Node)];

    /// <summary>
    /// A forward pass that keeps the feature maps. Under masks they are what is left of them: a channel that all who read it
    /// are to read as 0 is 0, as it would be once it is cut.
    /// </summary>
    /// <returns>Logits [N, classes], and [N, C, H, W] of each place.</returns>
    public (Tensor Logits, Tensor[] Maps) Run(ImageClassifier network, Tensor images, ChannelMasks? masks = null)
    {
        var hook = new Keeping(places, masks, CurrentDisposeScope);
        var logits = network.Forward(images, hook);
        return (logits, hook.Maps);
    }

    private static bool IsFeature(VisionNode node) =>
        node.Operation is Operation.Convolution or Operation.BatchNorm or Operation.Relu or Operation.Add or Operation.Concat;

    private static bool IsInner(VisionGraph graph, VisionNode node) => node.Operation switch
    {
        Operation.Convolution convolution => convolution.Inner,
        Operation.Add or Operation.Concat or Operation.Image => false,
        _ => IsInner(graph, graph.Input(node)),
    };

    /// <summary>A node that reads the channels of another in their order; null where none does.</summary>
    private static VisionNode? Reader(VisionGraph graph, VisionNode node) =>
        graph.Consumers(node).Where(consumer => consumer.Operation is not Operation.Concat)
            .Select(consumer => consumer.Reads ? consumer : Reader(graph, consumer))
            .FirstOrDefault(reader => reader is not null);

    private sealed class Keeping((VisionNode Node, string? Reader)[] places, ChannelMasks? masks, TorchSharp.DisposeScope? scope) : ChannelHook
    {
        public Tensor[] Maps { get; } = new Tensor[places.Length];

        public override Tensor Before(VisionNode node, Tensor input) => masks?.Before(node, input) ?? input;

        public override Tensor After(VisionNode node, Tensor output)
        {
            output = masks?.After(node, output) ?? output;
            for (var place = 0; place < places.Length; place++)
            {
                if (places[place].Node.Index == node.Index)
                    Maps[place] = Left(output, places[place].Reader is { } reader ? masks?.Reads(reader) : null).MoveToOtherDisposeScope(scope);
            }

            return output;
        }

        /// <summary>What is flattened has several columns of each channel, all with one mask.</summary>
        private static Tensor Left(Tensor output, Tensor? mask)
        {
            if (mask is null)
                return output.alias();
            var channels = output.shape[1];
            return output * mask.view(mask.ndim == 1 ? 1 : mask.shape[0], channels, -1).select(2, 0).view(-1, channels, 1, 1);
        }
    }
}
