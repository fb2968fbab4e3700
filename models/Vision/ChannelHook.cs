using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// Is shown what goes into and comes out of the nodes of an image network, and may put something else in its place: what
/// measures activations, and what gates them, is such a hook.
/// </summary>
/// <remarks>
/// A tensor is let go of after its last use; one that a hook keeps must be taken out of its scope with
/// <c>DetachFromDisposeScope</c> or <c>MoveToOtherDisposeScope</c>, or be an alias.
/// </remarks>
public abstract class ChannelHook
{
    /// <param name="input">Of a node with one input: [N, C, H, W] or [N, C].</param>
    /// <returns>What the node takes instead; the input itself to leave it.</returns>
    public virtual Tensor Before(VisionNode node, Tensor input) => input;

    /// <param name="output">[N, C, H, W] or [N, C].</param>
    /// <returns>What goes on instead; the output itself to leave it.</returns>
    public virtual Tensor After(VisionNode node, Tensor output) => output;
}

/// <summary>Shows every node and its output, and changes nothing.</summary>
public sealed class OutputHook(Action<VisionNode, Tensor> observe) : ChannelHook
{
    public override Tensor After(VisionNode node, Tensor output)
    {
        observe(node, output);
        return output;
    }
}

/// <summary>Multiplies channels by masks: [C], or [N, C] for one of each image.</summary>
public sealed class ChannelMasks : ChannelHook
{
    private readonly Dictionary<string, Tensor> inputs = [];
    private readonly Dictionary<string, Tensor> outputs = [];

    /// <summary>What a node takes.</summary>
    public void Read(string node, Tensor mask) => inputs[node] = Joined(inputs, node, mask);

    /// <summary>What a node makes.</summary>
    public void Write(string node, Tensor mask) => outputs[node] = Joined(outputs, node, mask);

    /// <summary>What the input of a node is multiplied by; null where it is left as it is.</summary>
    public Tensor? Reads(string node) => inputs.GetValueOrDefault(node);

    public override Tensor Before(VisionNode node, Tensor input) => Masked(inputs, node, input);

    public override Tensor After(VisionNode node, Tensor output) => Masked(outputs, node, output);

    // Several sites may share a reader, each with channels of its own.
    private static Tensor Joined(Dictionary<string, Tensor> masks, string node, Tensor mask) =>
        masks.TryGetValue(node, out var other) ? other * mask : mask;

    private static Tensor Masked(Dictionary<string, Tensor> masks, VisionNode node, Tensor values)
    {
        if (!masks.TryGetValue(node.Name, out var mask))
            return values;
        long[] shape = mask.ndim == 1 ? [1, mask.shape[0]] : mask.shape;
        return values * mask.view(values.ndim == 4 ? [.. shape, 1, 1] : shape);
    }
}
