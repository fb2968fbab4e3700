using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// Cuts tensors down to the units that stay. Sites may share an axis (what a concatenation joins, one convolution reads): they
/// are cut together, for a cut moves the indices of what lies behind it.
/// </summary>
public static class UnitCut
{
    /// <param name="kept">Of each site, the units that stay.</param>
    /// <exception cref="ModelException">There is no such unit, none is kept, one is named twice, or the order cannot be changed.</exception>
    public static void Keep(IReadOnlyList<(UnitSite Site, IReadOnlyList<int> Units)> kept)
    {
        foreach (var (site, units) in kept)
            site.Check(units);
        using var scope = NewDisposeScope();
        var axes = kept.SelectMany(one => one.Site.Members.Select(member => (one.Site, one.Units, Member: member)))
            .GroupBy(one => (one.Member.Tensor.Name, one.Member.Axis, Values: one.Member.Role == UnitRole.Value))
            .ToArray();
        foreach (var axis in axes)
        {
            var slot = axis.First().Member.Tensor;
            slot.Set(axis.Key.Values ? Renamed(slot.Value, [.. axis.SelectMany(Removed)]) : Selected(slot.Value, axis.Key.Axis, [.. axis]));
        }

        foreach (var (site, units) in kept)
            site.SetCount(units.Count);
    }

    private static Tensor Selected(Tensor value, int axis, (UnitSite Site, IReadOnlyList<int> Units, UnitMember Member)[] parts)
    {
        long[] left;
        if (parts.All(part => part.Units.Zip(part.Units.Skip(1)).All(pair => pair.First < pair.Second)))
        {
            var removed = parts.SelectMany(Removed).ToHashSet();
            left = [.. Enumerable.Range(0, (int)value.shape[axis]).Select(index => (long)index).Where(index => !removed.Contains(index))];
        }
        else
        {
            left = Reordered(parts.Length == 1 ? parts[0] : throw Fixed(parts[0].Site), value.shape[axis]);
        }

        return value.index_select(axis, tensor(left, device: value.device));
    }

    private static long[] Reordered((UnitSite Site, IReadOnlyList<int> Units, UnitMember Member) part, long length)
    {
        var all = Enumerable.Range(0, part.Site.Count).SelectMany(part.Member.Indices);
        return all.SequenceEqual(Enumerable.Range(0, (int)length).Select(index => (long)index))
            ? [.. part.Units.SelectMany(part.Member.Indices)]
            : throw Fixed(part.Site);
    }

    private static ModelException Fixed(UnitSite site) =>
        new($"{site.Name}: its units share tensors with others, so they cannot change their order: expected them in ascending order");

    private static IEnumerable<long> Removed((UnitSite Site, IReadOnlyList<int> Units, UnitMember Member) part) =>
        Enumerable.Range(0, part.Site.Count).Except(part.Units).SelectMany(part.Member.Indices);

    /// <summary>A list of channels by their new indices; −1 where one is gone.</summary>
    private static Tensor Renamed(Tensor value, long[] removed)
    {
        Array.Sort(removed);
        long[] named =
        [
            .. value.cpu().data<long>().ToArray().Select(channel => Array.BinarySearch(removed, channel) switch
            {
                >= 0 => -1,
                var before => channel - ~before,
            }),
        ];
        return tensor(named, device: value.device);
    }
}
