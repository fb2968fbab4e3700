namespace Pipelines.Models;

/// <summary>The coupled groups of an image network, from its graph: no architecture has to list them.</summary>
public static class VisionUnits
{
    /// <summary>In the order of the network. After a cut they are to be asked for anew.</summary>
    /// <remarks>
    /// Two channels are coupled where a sum adds them, where a depthwise convolution, a norm or a pool passes one on as the
    /// other, and where they have the same place in the groups of a grouped convolution. A zero-padded shortcut couples
    /// nothing: it keeps a list of which channels it passes on, so either side may lose channels that the other keeps, and the
    /// result is exactly that of the channel being 0. (Torch-Pruning couples them: where zeros are joined on by a
    /// concatenation, a channel of the first stage takes its likes in all stages with it, VainF/Torch-Pruning#64.)
    /// </remarks>
    public static IReadOnlyList<ChannelSite> Sites(this ImageClassifier network, ChannelScope scope = ChannelScope.Full)
    {
        var sites = new ChannelCoupling(network).Sites();
        return scope == ChannelScope.Full ? sites : [.. sites.Where(site => site.Inner)];
    }
}
