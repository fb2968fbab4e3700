namespace Pipelines.Models;

/// <summary>
/// Walks the graph of a network with a number for every channel, and joins the numbers of those that only go together; what is
/// joined in the same way is a site.
/// </summary>
internal sealed class ChannelCoupling
{
    private readonly ImageClassifier network;
    private readonly List<int> parents = [];
    private readonly HashSet<int> whole;
    private readonly List<Axis> axes = [];
    private readonly List<(VisionNode Node, int[] Channels)> readers = [];

    public ChannelCoupling(ImageClassifier network)
    {
        this.network = network;
        var channels = new int[network.Graph.Nodes.Count][];
        foreach (var node in network.Graph.Nodes)
            channels[node.Index] = Walk(node, [.. node.Inputs.Select(input => channels[input])]);
        whole = [.. channels[0].Concat(channels[^1]).Select(Root)];
    }

    /// <summary>In the order of the convolutions that make them.</summary>
    public IReadOnlyList<ChannelSite> Sites()
    {
        var sites = Units().Where(unit => !whole.Contains(unit.Root) && unit.Parts.Any(part => axes[part.Axis].Role == UnitRole.Output))
            .GroupBy(unit => string.Join(' ', unit.Parts.Select(part => $"{part.Axis}:{part.Indices.Count}")))
            .Select(units => units.ToArray()).OrderBy(units => units[0].Parts[0].Axis).ThenBy(units => units[0].Parts[0].Indices.Min);
        var names = new Dictionary<string, int>();
        return [.. sites.Select(units => Site(units, names))];
    }

    private ChannelSite Site(Unit[] units, Dictionary<string, int> names)
    {
        var parts = units[0].Parts;
        var members = parts.Select((part, place) => Member(axes[part.Axis], [.. units.Select(unit => unit.Parts[place].Indices.ToArray())])).ToArray();
        var unitOf = units.Index().ToDictionary(unit => unit.Item.Root, unit => unit.Index);
        var reading = readers.Select(reader => new ChannelReader(reader.Node, [.. reader.Channels.Select(channel => unitOf.GetValueOrDefault(Root(channel), -1))]));
        var makers = parts.Select(part => axes[part.Axis]).Where(axis => axis.Role == UnitRole.Output).ToArray();
        var revision = network.Revision;
        return new ChannelSite(
            Name(makers[0].Node.Name, names), units.Length, makers.All(maker => maker.Node.Operation is Operation.Convolution { Inner: true }),
            members, [.. reading.Where(reader => reader.Unit.Any(unit => unit >= 0))], () => network.Revision == revision);
    }

    private UnitMember Member(Axis axis, long[][] indices) =>
        new(network.Slot(axis.Tensor), axis.Number, axis.Role, unit => indices[unit], axis.Uses);

    // Channels of one convolution may be of several sites, where what reads them takes only some.
    private static string Name(string maker, Dictionary<string, int> names)
    {
        var before = names.GetValueOrDefault(maker);
        names[maker] = before + 1;
        return before == 0 ? maker : $"{maker}#{before + 1}";
    }

    /// <summary>What each unit owns of each axis; in the order of axes and of their channels.</summary>
    private Dictionary<int, Unit>.ValueCollection Units()
    {
        var found = new Dictionary<int, Unit>();
        foreach (var (number, axis) in axes.Index())
        {
            foreach (var (index, channel) in axis.Channels.Index())
            {
                var root = Root(channel);
                if (!found.TryGetValue(root, out var unit))
                    found[root] = unit = new Unit(root, []);
                if (unit.Parts.Count == 0 || unit.Parts[^1].Axis != number)
                    unit.Parts.Add((number, []));
                unit.Parts[^1].Indices.Add(index % axis.Length);
            }
        }

        return found.Values;
    }

    /// <returns>The numbers of the channels of a node's output.</returns>
    private int[] Walk(VisionNode node, int[][] inputs)
    {
        if (node.Reads)
            readers.Add((node, inputs[0]));
        switch (node.Operation)
        {
            case Operation.Image:
                return New(node.Channels);
            case Operation.Convolution { Depthwise: true } convolution:
                return Made(node, inputs[0], convolution.Bias);
            case Operation.Convolution convolution:
                Axes(node.Weight, node, 1, UnitRole.Input, inputs[0], inputs[0].Length / convolution.Groups);
                JoinGroups(inputs[0], convolution.Groups);
                var made = New(Width(node));
                JoinGroups(made, convolution.Groups);
                return Made(node, made, convolution.Bias);
            case Operation.Linear:
                Axes(node.Weight, node, 1, UnitRole.Input, inputs[0], inputs[0].Length);
                return Made(node, New(Width(node)), bias: true);
            case Operation.BatchNorm:
                Axes(node.Weight, node, 0, UnitRole.Scale, inputs[0]);
                Axes(node.Bias, node, 0, UnitRole.Shift, inputs[0]);
                Axes(node.RunningMean, node, 0, UnitRole.Statistic, inputs[0]);
                Axes(node.RunningVar, node, 0, UnitRole.Statistic, inputs[0]);
                return inputs[0];
            case Operation.Add:
                foreach (var (one, other) in inputs[0].Zip(inputs[1]))
                    Join(one, other);
                return inputs[0];
            case Operation.Concat:
                return [.. inputs.SelectMany(input => input)];
            case Operation.Flatten:
                var from = network.Graph.Input(node);
                return [.. inputs[0].SelectMany(channel => Enumerable.Repeat(channel, from.Height * from.Width))];
            case Operation.PadShortcut:
                Axes(node.Sources, node, 0, UnitRole.Value, inputs[0]);
                var output = New(Width(node));
                Axes(node.Sources, node, 0, UnitRole.Entry, output);
                return output;
            default:
                return inputs[0];
        }
    }

    private int[] Made(VisionNode node, int[] output, bool bias)
    {
        Axes(node.Weight, node, 0, UnitRole.Output, output);
        if (bias)
            Axes(node.Bias, node, 0, UnitRole.Bias, output);
        return output;
    }

    /// <summary>Joins what has the same place in each group, so that the groups stay equally wide.</summary>
    private void JoinGroups(int[] channels, int groups)
    {
        var width = channels.Length / groups;
        for (var index = width; index < channels.Length; index++)
            Join(channels[index], channels[index % width]);
    }

    private void Axes(string tensor, VisionNode node, int number, UnitRole role, int[] channels, int? length = null)
    {
        var product = role is UnitRole.Output or UnitRole.Input;
        axes.Add(new Axis(tensor, node, number, role, channels, length ?? channels.Length, product ? (double)node.Height * node.Width : 0));
    }

    private int Width(VisionNode node) => network.Widths[node.Index];

    private int[] New(int count)
    {
        var first = parents.Count;
        parents.AddRange(Enumerable.Range(first, count));
        return [.. Enumerable.Range(first, count)];
    }

    private int Root(int channel)
    {
        while (parents[channel] != channel)
            channel = parents[channel] = parents[parents[channel]];
        return channel;
    }

    private void Join(int one, int other) => parents[Root(one)] = Root(other);

    /// <param name="Length">Of the axis: several channels share an index where a grouped convolution reads them.</param>
    private sealed record Axis(string Tensor, VisionNode Node, int Number, UnitRole Role, int[] Channels, int Length, double Uses);

    private sealed record Unit(int Root, List<(int Axis, SortedSet<long> Indices)> Parts);
}
