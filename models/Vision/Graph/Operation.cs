namespace Pipelines.Models;

/// <summary>What a node of an image network computes. Feature maps are [N, C, H, W]; what is flat is [N, C].</summary>
public abstract record Operation
{
    /// <summary>The images.</summary>
    public sealed record Image : Operation;

    /// <summary>Tensors: <c>weight</c> [out, in / groups, kernel, kernel], and <c>bias</c> [out].</summary>
    /// <param name="Groups">Of channels that see each other; 0 for as many as there are channels (depthwise).</param>
    /// <param name="Inner">Whether its output is a width inside a block, beside the residual stream, the stem and the classifier.</param>
    public sealed record Convolution(int Kernel, int Stride, int Padding, int Groups, bool Bias, bool Inner) : Operation
    {
        public bool Depthwise => Groups == 0;
    }

    /// <summary>Tensors: <c>weight</c>, <c>bias</c>, <c>running_mean</c>, <c>running_var</c> [C] and <c>num_batches_tracked</c>.</summary>
    public sealed record BatchNorm(double Eps, double Momentum) : Operation;

    /// <param name="Six">Whether it is cut off at 6.</param>
    public sealed record Relu(bool Six) : Operation;

    public sealed record Add : Operation;

    /// <summary>Channels beside each other, in the order of the inputs.</summary>
    public sealed record Concat : Operation;

    public sealed record MaxPool(int Kernel, int Stride, int Padding) : Operation;

    public sealed record AvgPool(int Kernel, int Stride, int Padding) : Operation;

    /// <summary>The mean over all positions: [N, C, 1, 1].</summary>
    public sealed record GlobalAvgPool : Operation;

    /// <summary>[N, C, H, W] to [N, C·H·W]: a channel becomes H·W columns beside each other.</summary>
    public sealed record Flatten : Operation;

    /// <summary>Tensors: <c>weight</c> [out, in] and <c>bias</c> [out].</summary>
    public sealed record Linear : Operation;

    public sealed record Dropout(double Probability) : Operation;

    /// <summary>
    /// Every stride-th position, and channels of zeros beside the input's (shortcut A of He et al., arXiv:1512.03385). Which
    /// input channel an output channel is, or −1 for zeros, is a list of its own: <c>sources</c> [out], kept in pipelines.json.
    /// </summary>
    /// <param name="Before">Channels of zeros before the input's, in an uncut network.</param>
    public sealed record PadShortcut(int Stride, int Before) : Operation;
}
