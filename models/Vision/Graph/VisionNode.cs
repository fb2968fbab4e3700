namespace Pipelines.Models;

/// <summary>One step of an image network, after those whose outputs it takes.</summary>
/// <param name="Index">Its place in the order.</param>
/// <param name="Name">Of its tensors in the checkpoint: <c>layer1.0.conv1</c>; made up where it has none.</param>
/// <param name="Inputs">Places of the nodes that it takes.</param>
/// <param name="Channels">Of its output in an uncut network; columns where the output is flat.</param>
/// <param name="Height">Of its output, for images of the size that the graph was built for.</param>
/// <param name="Width">Likewise.</param>
public sealed record VisionNode(
    int Index, string Name, Operation Operation, IReadOnlyList<int> Inputs, int Channels, int Height, int Width)
{
    public string Weight => $"{Name}.weight";

    public string Bias => $"{Name}.bias";

    public string RunningMean => $"{Name}.running_mean";

    public string RunningVar => $"{Name}.running_var";

    public string BatchesTracked => $"{Name}.num_batches_tracked";

    public string Sources => $"{Name}.sources";

    /// <summary>Whether it looks at channels one by one only in so far as it reads them all: what ends a coupled group.</summary>
    public bool Reads => Operation is Operation.Convolution { Depthwise: false } or Operation.Linear or Operation.PadShortcut;
}
