using Pipelines.Models;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Pipelines.Activities.Explaining;

/// <summary>
/// What reads from a classifier's feature maps where it looks to tell a class (ISP, Ganjdanesh et al., ECCV 2022; the form is
/// that of its published code): the smallest map, brightened where it goes with the class; two blocks that double it and join
/// the next larger map to it; one convolution over all of the last.
/// </summary>
public sealed class Selector : IDisposable
{
    /// <summary>What it says of an image: m_x, m_y, m_σ (<see cref="RadialMask.Places"/>).</summary>
    public const int Outputs = 3;

    // Of a fresh selector, near enough to σ itself: softplus(10) is 10.00005.
    private const double FirstWidth = 10;

    private readonly SortedDictionary<string, (Tensor Tensor, bool IsBuffer)> tensors = new(StringComparer.Ordinal);

    /// <param name="maps">Channels, height and width of the feature maps, from the largest to the smallest.</param>
    /// <param name="generator">On the CPU, so that every device starts alike.</param>
    public Selector(IReadOnlyList<(long Channels, long Height, long Width)> maps, int classes, Generator generator, Device device)
    {
        using var scope = NewDisposeScope();
        var ((large, height, width), middle, small) = (maps[0], maps[1].Channels, maps[2].Channels);
        Add("embedding", empty(classes, small).normal_(generator: generator));
        Up("up1", small, middle);
        Up("up2", middle, large);
        Convolution("places", large, Outputs, height, width);
        var bound = 1 / Math.Sqrt(large * height * width);
        var bias = empty(Outputs).uniform_(-bound, bound, generator: generator);
        Add("places.bias", cat([bias.narrow(0, 0, 2), full([1], FirstWidth, ScalarType.Float32)]));
        foreach (var name in tensors.Keys.ToArray())
            tensors[name] = (tensors[name].Tensor.to(device).DetachFromDisposeScope(), tensors[name].IsBuffer);

        // A block that doubles [inputs] and joins as many channels as it makes to them.
        void Up(string name, long inputs, long outputs)
        {
            Convolution($"{name}.double", inputs, 4 * outputs, 3, 3);
            Convolution($"{name}.conv1", 2 * outputs, outputs, 3, 3);
            Convolution($"{name}.conv2", outputs, outputs, 3, 3);
            Convolution($"{name}.shortcut", 2 * outputs, outputs, 1, 1);
            Norm($"{name}.double", 4 * outputs);
            foreach (var part in (string[])["conv1", "conv2", "shortcut"])
                Norm($"{name}.{part}", outputs);
        }

        // As PyTorch starts a convolution.
        void Convolution(string name, long inputs, long outputs, long rows, long columns)
        {
            var most = 1 / Math.Sqrt(inputs * rows * columns);
            Add($"{name}.weight", empty(outputs, inputs, rows, columns).uniform_(-most, most, generator: generator));
        }

        void Norm(string name, long channels)
        {
            Add($"{name}.norm.weight", ones(channels));
            Add($"{name}.norm.bias", zeros(channels));
            Add($"{name}.norm.running_mean", zeros(channels), isBuffer: true);
            Add($"{name}.norm.running_var", ones(channels), isBuffer: true);
        }

        void Add(string name, Tensor tensor, bool isBuffer = false) => tensors.Add(name, (tensor, isBuffer));
    }

    /// <summary>Of that network's feature maps, and its classes.</summary>
    public static Selector Create(ImageClassifier network, FeatureMaps maps, Generator generator) =>
        new([.. maps.Nodes.Select(node => ((long)network.Widths[node.Index], (long)node.Height, (long)node.Width))], network.Config.NumClasses, generator, network.Device);

    /// <summary>Whether norms take the batch's statistics and keep running ones; false at first.</summary>
    public bool Training { get; set; }

    /// <summary>What is trained, in an order that is always the same.</summary>
    public IReadOnlyList<Tensor> Parameters => [.. tensors.Values.Where(tensor => !tensor.IsBuffer).Select(tensor => tensor.Tensor)];

    /// <summary>Running statistics of the norms.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Buffers => Named.Where(tensor => tensors[tensor.Name].IsBuffer);

    /// <summary>All tensors, in an order that is always the same.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Named => tensors.Select(tensor => (tensor.Key, tensor.Value.Tensor));

    /// <param name="maps">[N, C, H, W] each, from the largest to the smallest.</param>
    /// <param name="labels">[N], int64.</param>
    /// <returns>[N, 3].</returns>
    public Tensor Forward(IReadOnlyList<Tensor> maps, Tensor labels)
    {
        using var scope = NewDisposeScope();
        var meant = this["embedding"].index_select(0, labels).unsqueeze(-1).unsqueeze(-1);
        var small = maps[2] * (maps[2] * meant).sum([1L], keepdim: true).sigmoid();
        var joined = Up("up2", Up("up1", small, maps[1]), maps[0]);
        return F.conv2d(joined, this["places.weight"], this["places.bias"]).flatten(1).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var (tensor, _) in tensors.Values)
            tensor.Dispose();
    }

    private Tensor this[string name] => tensors[name].Tensor;

    private Tensor Up(string name, Tensor small, Tensor large)
    {
        var twice = F.pixel_shuffle(Normed($"{name}.double", small, 1).relu(), 2);
        // A map of odd size was not halved: what is too much goes, what is missing is 0.
        if (twice.shape[2] != large.shape[2] || twice.shape[3] != large.shape[3])
            twice = F.pad(twice, [0, large.shape[3] - twice.shape[3], 0, large.shape[2] - twice.shape[2]]);
        var both = cat([twice, large], 1);
        var deep = Normed($"{name}.conv2", Normed($"{name}.conv1", both, 1).relu(), 1);
        return (deep + Normed($"{name}.shortcut", both, 0)).relu();
    }

    private Tensor Normed(string name, Tensor x, long padding) => F.batch_norm(
        F.conv2d(x, this[$"{name}.weight"], padding: [padding, padding]),
        this[$"{name}.norm.running_mean"], this[$"{name}.norm.running_var"], this[$"{name}.norm.weight"], this[$"{name}.norm.bias"], Training);
}
