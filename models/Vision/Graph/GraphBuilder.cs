namespace Pipelines.Models;

/// <summary>Writes a <see cref="VisionGraph"/> down, node by node; a node is named by its place.</summary>
public sealed class GraphBuilder
{
    private readonly List<VisionNode> nodes = [];
    private readonly HashSet<string> names = [];
    private readonly int imageSize;

    /// <param name="imageSize">Height and width of the images.</param>
    public GraphBuilder(int imageSize)
    {
        this.imageSize = imageSize;
        Image = Append("image", new Operation.Image(), [], VisionGraph.ImageChannels, imageSize, imageSize);
    }

    /// <summary>The images: [N, 3, H, W].</summary>
    public int Image { get; }

    /// <summary>Channels of a node's output, as it was built.</summary>
    public int Channels(int node) => nodes[node].Channels;

    public int Convolution(
        string name, int input, int channels, int kernel, int stride = 1, int padding = 0, int groups = 1, bool bias = false, bool inner = false)
    {
        var from = nodes[input];
        if (groups < 1 || from.Channels % groups != 0 || channels % groups != 0)
            throw new ArgumentException($"{name}: {groups} groups do not divide {from.Channels} and {channels} channels", nameof(groups));
        return Append(
            name, new Operation.Convolution(kernel, stride, padding, groups, bias, inner), [input], channels,
            Size(from.Height, kernel, stride, padding), Size(from.Width, kernel, stride, padding));
    }

    /// <summary>Each channel by itself.</summary>
    public int Depthwise(string name, int input, int kernel, int stride = 1, int padding = 0)
    {
        var from = nodes[input];
        return Append(
            name, new Operation.Convolution(kernel, stride, padding, 0, Bias: false, Inner: true), [input], from.Channels,
            Size(from.Height, kernel, stride, padding), Size(from.Width, kernel, stride, padding));
    }

    public int BatchNorm(string name, int input, double eps = 1e-5, double momentum = 0.1) =>
        Append(name, new Operation.BatchNorm(eps, momentum), input);

    public int Relu(string name, int input) => Append(name, new Operation.Relu(Six: false), input);

    public int Relu6(string name, int input) => Append(name, new Operation.Relu(Six: true), input);

    public int Dropout(string name, int input, double probability) => Append(name, new Operation.Dropout(probability), input);

    public int Add(string name, int first, int second)
    {
        var (one, other) = (nodes[first], nodes[second]);
        if ((one.Channels, one.Height, one.Width) != (other.Channels, other.Height, other.Width))
            throw new ArgumentException($"{name}: {one.Name} and {other.Name} differ in shape", nameof(second));
        return Append(name, new Operation.Add(), [first, second], one.Channels, one.Height, one.Width);
    }

    public int Concat(string name, params int[] inputs) => Append(
        name, new Operation.Concat(), inputs, inputs.Sum(input => nodes[input].Channels), nodes[inputs[0]].Height, nodes[inputs[0]].Width);

    public int MaxPool(string name, int input, int kernel, int stride, int padding = 0) =>
        Pool(name, new Operation.MaxPool(kernel, stride, padding), input, kernel, stride, padding);

    public int AvgPool(string name, int input, int kernel, int stride, int padding = 0) =>
        Pool(name, new Operation.AvgPool(kernel, stride, padding), input, kernel, stride, padding);

    public int GlobalAvgPool(string name, int input) =>
        Append(name, new Operation.GlobalAvgPool(), [input], nodes[input].Channels, 1, 1);

    public int Flatten(string name, int input)
    {
        var from = nodes[input];
        return Append(name, new Operation.Flatten(), [input], from.Channels * from.Height * from.Width, 1, 1);
    }

    public int Linear(string name, int input, int channels) => Append(name, new Operation.Linear(), [input], channels, 1, 1);

    /// <summary>Every stride-th position, and channels of zeros on both sides of the input's.</summary>
    public int PadShortcut(string name, int input, int channels, int stride)
    {
        var from = nodes[input];
        return Append(
            name, new Operation.PadShortcut(stride, (channels - from.Channels) / 2), [input], channels,
            Size(from.Height, 1, stride, 0), Size(from.Width, 1, stride, 0));
    }

    /// <summary>The graph; the node that was written last is its output.</summary>
    public VisionGraph Build() => new(imageSize, [.. nodes]);

    private static int Size(int before, int kernel, int stride, int padding) =>
        before + 2 * padding < kernel ? 0 : (before + 2 * padding - kernel) / stride + 1;

    private int Pool(string name, Operation operation, int input, int kernel, int stride, int padding)
    {
        var from = nodes[input];
        return Append(
            name, operation, [input], from.Channels, Size(from.Height, kernel, stride, padding), Size(from.Width, kernel, stride, padding));
    }

    private int Append(string name, Operation operation, int input) =>
        Append(name, operation, [input], nodes[input].Channels, nodes[input].Height, nodes[input].Width);

    private int Append(string name, Operation operation, int[] inputs, int channels, int height, int width)
    {
        if (!names.Add(name))
            throw new ArgumentException($"there are two nodes '{name}'", nameof(name));
        if (height < 1 || width < 1)
            throw new ModelException($"{name}: images of {imageSize} × {imageSize} leave nothing here: expected larger ones");
        nodes.Add(new VisionNode(nodes.Count, name, operation, inputs, channels, height, width));
        return nodes.Count - 1;
    }
}
