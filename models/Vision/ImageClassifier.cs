using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Pipelines.Models;

/// <summary>
/// An image network for inference and training: its graph, carried out node by node with the tensors that it has. It may be
/// narrower than the graph says; the tensors' shapes decide.
/// </summary>
public sealed class ImageClassifier : IDisposable
{
    private readonly SortedDictionary<string, TensorSlot> slots = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Tensor> tensors = [];
    private readonly int[] lastUse;
    private int[]? widths;

    /// <param name="tensors">By name; the network disposes them. What a network without pipelines.json leaves out is made up.</param>
    /// <param name="source">Where they are from, for messages.</param>
    /// <exception cref="ModelException">A tensor is missing or unknown, or has a shape that does not go with the others.</exception>
    public ImageClassifier(ImageConfig config, IEnumerable<(string Name, Tensor Tensor)> tensors, string source = "the network")
    {
        Config = config;
        foreach (var (name, tensor) in tensors)
            this.tensors.Add(name, tensor);
        Complete();
        widths = VisionTensors.Widths(Graph, source, Shape);
        var known = VisionTensors.Of(Graph).Select(tensor => tensor.Name).ToHashSet();
        if (this.tensors.Keys.Where(name => !known.Contains(name)).Order(StringComparer.Ordinal).FirstOrDefault() is { } extra)
            throw new ModelException($"{source}: tensor '{extra}' is no part of {config.Architecture}");
        CheckShortcuts(source);
        foreach (var name in this.tensors.Keys)
            slots.Add(name, new TensorSlot(name, () => this.tensors[name], replacement => Set(name, replacement)));
        foreach (var tensor in this.tensors.Values)
            tensor.DetachFromDisposeScope();
        lastUse = [.. Graph.Nodes.Select(node => Graph.Consumers(node).Select(consumer => consumer.Index).LastOrDefault(node.Index))];
    }

    public ImageConfig Config { get; }

    public VisionGraph Graph => Config.Graph;

    /// <summary>Channels of each node's output, as it is now.</summary>
    public IReadOnlyList<int> Widths => widths ??= VisionTensors.Widths(Graph, "the network", Shape);

    /// <summary>Whether batch norm takes the batch's statistics and keeps running ones, and dropout drops; false at first.</summary>
    public bool Training { get; set; }

    /// <summary>Of what dropout drops; null for the process's own, which others draw from too.</summary>
    public Generator? Random { get; set; }

    /// <summary>Whether the running statistics are those of all batches since they were reset, each as much, rather than of the last ones.</summary>
    public bool CumulativeStatistics { get; set; }

    public Device Device => tensors[Graph.Nodes.First(node => node.Operation is Operation.Convolution or Operation.Linear).Weight].device;

    /// <summary>Changes whenever a tensor's shape does.</summary>
    internal int Revision { get; private set; }

    public Tensor this[string name] => tensors[name];

    /// <summary>Every parameter under the checkpoint's name, in the order of the network.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedParameters() =>
        VisionTensors.Of(Graph).Where(tensor => !tensor.IsBuffer).Select(tensor => (tensor.Name, tensors[tensor.Name]));

    /// <summary>Running statistics of batch norms, and how many batches they are of.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedBuffers() =>
        VisionTensors.Of(Graph).Where(tensor => tensor.IsBuffer && !tensor.Listed).Select(tensor => (tensor.Name, tensors[tensor.Name]));

    /// <summary>Which channels zero-padded shortcuts pass on: [out], int64, by the node's name.</summary>
    public IEnumerable<(string Node, Tensor Sources)> Shortcuts() =>
        Graph.Nodes.Where(node => node.Operation is Operation.PadShortcut).Select(node => (node.Name, tensors[node.Sources]));

    public long ParameterCount() => NamedParameters().Sum(parameter => parameter.Tensor.numel());

    /// <summary>Parameters that are not 0.</summary>
    public long NonzeroCount()
    {
        using var scope = NewDisposeScope();
        return NamedParameters().Sum(parameter => parameter.Tensor.count_nonzero().ToInt64());
    }

    /// <summary>The place of a tensor.</summary>
    public TensorSlot Slot(string name) => slots[name];

    /// <param name="images">[N, 3, H, W], normalized.</param>
    /// <param name="hook">Is shown every node.</param>
    /// <returns>Logits, [N, classes].</returns>
    public Tensor Forward(Tensor images, ChannelHook? hook = null)
    {
        using var scope = NewDisposeScope();
        var values = new Tensor[Graph.Nodes.Count];
        foreach (var node in Graph.Nodes)
        {
            var inputs = node.Inputs.Select(input => values[input]).ToArray();
            if (hook is not null && inputs.Length == 1)
                inputs[0] = hook.Before(node, inputs[0]);
            var output = node.Inputs.Count == 0 ? images.alias() : Run(node, inputs);
            values[node.Index] = hook?.After(node, output) ?? output;

            // Autograd holds what it needs; all else goes at once, or a forward pass would hold every feature map.
            foreach (var input in node.Inputs.Where(input => lastUse[input] == node.Index && scope.Contains(values[input])))
                values[input].Dispose();
        }

        return values[^1].MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var tensor in tensors.Values)
            tensor.Dispose();
    }

    private Tensor Run(VisionNode node, Tensor[] inputs)
    {
        var x = inputs[0];
        switch (node.Operation)
        {
            case Operation.Convolution c:
                return F.conv2d(
                    x, tensors[node.Weight], c.Bias ? tensors[node.Bias] : null, [c.Stride, c.Stride], [c.Padding, c.Padding],
                    groups: c.Depthwise ? x.shape[1] : c.Groups);
            case Operation.BatchNorm norm:
                return Normalized(node, norm, x);
            case Operation.Relu relu:
                return relu.Six ? x.relu6() : x.relu();
            case Operation.Add:
                return inputs[0] + inputs[1];
            case Operation.Concat:
                return cat(inputs, 1);
            case Operation.MaxPool pool:
                return F.max_pool2d(x, pool.Kernel, pool.Stride, pool.Padding);
            case Operation.AvgPool pool:
                return F.avg_pool2d(x, pool.Kernel, pool.Stride, pool.Padding);
            case Operation.GlobalAvgPool:
                return F.adaptive_avg_pool2d(x, 1);
            case Operation.Flatten:
                return x.flatten(1);
            case Operation.Linear:
                return F.linear(x, tensors[node.Weight], tensors[node.Bias]);
            case Operation.Dropout dropout:
                return Training ? Dropped(x, dropout.Probability) : x.alias();
            case Operation.PadShortcut shortcut:
                return Padded(x, shortcut, tensors[node.Sources]);
            default:
                throw new InvalidOperationException($"{node.Name}: {node.Operation} cannot be run");
        }
    }

    private Tensor Dropped(Tensor x, double probability) => Random is null
        ? F.dropout(x, probability)
        : x * empty_like(x).bernoulli_(1 - probability, Random).div_(1 - probability);

    private Tensor Normalized(VisionNode node, Operation.BatchNorm norm, Tensor x)
    {
        var momentum = norm.Momentum;
        if (Training)
        {
            using var ungraded = no_grad();
            var tracked = tensors[node.BatchesTracked].add_(1);
            if (CumulativeStatistics)
                momentum = 1.0 / tracked.ToInt64();
        }

        return F.batch_norm(
            x, tensors[node.RunningMean], tensors[node.RunningVar], tensors[node.Weight], tensors[node.Bias], Training, momentum, norm.Eps);
    }

    private static Tensor Padded(Tensor x, Operation.PadShortcut shortcut, Tensor sources)
    {
        using var scope = NewDisposeScope();
        var strided = x.slice(2, 0, x.shape[2], shortcut.Stride).slice(3, 0, x.shape[3], shortcut.Stride);
        var shape = strided.shape;
        var zero = zeros([shape[0], 1, shape[2], shape[3]], dtype: x.dtype, device: x.device);

        // The channel behind the last is the one of zeros.
        var index = where(sources.lt(0), full_like(sources, shape[1]), sources);
        return cat([strided, zero], 1).index_select(1, index).MoveToOuterDisposeScope();
    }

    private long[]? Shape(string name) => tensors.TryGetValue(name, out var tensor) ? tensor.shape : null;

    private void CheckShortcuts(string source)
    {
        foreach (var node in Graph.Nodes.Where(node => node.Operation is Operation.PadShortcut))
        {
            var channels = Widths[node.Inputs[0]];
            foreach (var channel in tensors[node.Sources].cpu().data<long>())
            {
                if (channel < -1 || channel >= channels)
                {
                    throw new ModelException(
                        $"{source}: {node.Name} passes on channel {channel} of {channels}: {VisionManifest.FileName} must list which it does");
                }
            }
        }
    }

    /// <summary>Counts of batches that a checkpoint left out are 0; shortcuts pass on what those of an uncut network do.</summary>
    private void Complete()
    {
        var device = tensors.Count == 0 ? CPU : tensors.Values.First().device;
        foreach (var node in Graph.Nodes)
        {
            if (node.Operation is Operation.BatchNorm && !tensors.ContainsKey(node.BatchesTracked))
                tensors[node.BatchesTracked] = zeros([], dtype: ScalarType.Int64, device: device);
            if (node.Operation is Operation.PadShortcut && !tensors.ContainsKey(node.Sources))
                tensors[node.Sources] = tensor(VisionManifest.Plain(Graph, node), device: device);
        }
    }

    private void Set(string name, Tensor replacement)
    {
        var old = tensors[name];
        tensors[name] = replacement.DetachFromDisposeScope();
        if (!old.shape.SequenceEqual(replacement.shape))
        {
            Revision++;
            widths = null;
        }

        old.Dispose();
    }
}
