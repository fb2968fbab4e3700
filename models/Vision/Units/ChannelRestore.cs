using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// The opposite of a cut: a narrow network's tensors at the places of the network that it was cut from, and nothing where
/// channels are gone. It computes what the narrow one does, and its feature maps have the channels of the wide one, those that
/// are gone 0: what reads feature maps of the one can read those of the other.
/// </summary>
public static class ChannelRestore
{
    /// <param name="whole">Of the widths before the cut; its tensors are replaced.</param>
    /// <param name="cut">What was cut from such a network, and may have been trained since.</param>
    /// <param name="kept">Of <paramref name="whole"/>'s sites, the units that stayed; other sites kept all.</param>
    /// <exception cref="ModelException">The narrow network is not what that cut leaves.</exception>
    public static void Into(ImageClassifier whole, ImageClassifier cut, IReadOnlyList<(ChannelSite Site, IReadOnlyList<int> Units)> kept)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var gone = kept.SelectMany(one => one.Site.Members.Select(member => (Member: member, Removed: Removed(one.Site, one.Units, member))))
            .ToLookup(one => (one.Member.Tensor.Name, one.Member.Axis, Values: one.Member.Role == UnitRole.Value), one => one.Removed);
        var sources = whole.Graph.Nodes.Where(node => node.Operation is Operation.PadShortcut).ToDictionary(node => node.Sources);
        (string Name, Tensor Tensor)[] wide = [.. whole.NamedParameters(), .. whole.NamedBuffers(), .. sources.Keys.Select(name => (name, whole[name]))];
        foreach (var (name, before) in wide)
        {
            var value = cut[name];
            if (sources.TryGetValue(name, out var shortcut))
                value = Renamed(value, Left(whole.Widths[shortcut.Inputs[0]], gone[(name, 0, true)]));
            for (var axis = 0; axis < before.ndim; axis++)
            {
                var left = Left(before.shape[axis], gone[(name, axis, false)]);
                if (left.Length != value.shape[axis])
                {
                    throw new ModelException(
                        $"{name}: the cut network has {value.shape[axis]} of {before.shape[axis]} along axis {axis}: the decision leaves {left.Length}");
                }

                if (left.Length < before.shape[axis])
                    value = Spread(value, axis, before.shape[axis], left, Nothing(name, sources.ContainsKey(name)));
            }

            whole.Slot(name).Set(value.to(before.device).clone());
        }
    }

    /// <summary>What stands for a channel that is gone: no weight, a variance that can be divided by, no source.</summary>
    private static double Nothing(string name, bool isList) =>
        isList ? -1 : name.EndsWith(".running_var", StringComparison.Ordinal) ? 1 : 0;

    private static Tensor Spread(Tensor value, int axis, long length, long[] left, double nothing)
    {
        var shape = value.shape;
        shape[axis] = length;
        return full(shape, nothing, value.dtype, value.device).index_copy_(axis, tensor(left, device: value.device), value);
    }

    /// <summary>A list of channels by their old indices.</summary>
    private static Tensor Renamed(Tensor value, long[] left)
    {
        long[] named = [.. value.cpu().data<long>().ToArray().Select(channel => channel < 0 ? -1 : channel < left.Length ? left[channel]
            : throw new ModelException($"a shortcut passes on channel {channel}: the decision leaves {left.Length}"))];
        return tensor(named, device: value.device);
    }

    private static long[] Left(long length, IEnumerable<long[]> removed)
    {
        var gone = removed.SelectMany(indices => indices).ToHashSet();
        return [.. Enumerable.Range(0, (int)length).Select(index => (long)index).Where(index => !gone.Contains(index))];
    }

    private static long[] Removed(ChannelSite site, IReadOnlyList<int> units, UnitMember member) =>
        [.. Enumerable.Range(0, site.Count).Except(units).SelectMany(member.Indices)];
}
