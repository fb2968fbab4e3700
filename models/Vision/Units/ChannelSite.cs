using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>Which channels of an image network may be cut.</summary>
public enum ChannelScope
{
    /// <summary>Widths inside blocks: the residual stream, the stem and what the classifier reads stay whole.</summary>
    Inner,

    /// <summary>All but the images and the classes.</summary>
    Full,
}

/// <summary>A node that reads units: multiplying its input by a gate is all that closing the gate takes.</summary>
/// <param name="Unit">[in]: of each channel of its input the unit that it belongs to, −1 for another site's.</param>
public sealed record ChannelReader(VisionNode Node, IReadOnlyList<int> Unit);

/// <summary>Channels of an image network that only go together: filters, norms, and what reads them across sums and shortcuts.</summary>
public sealed class ChannelSite : UnitSite
{
    internal ChannelSite(
        string name, int count, bool inner, IReadOnlyList<UnitMember> members, IReadOnlyList<ChannelReader> readers, Func<bool> isCurrent)
        : base(name, UnitKind.Channel, count, members, isCurrent) => (Inner, Readers) = (inner, readers);

    /// <summary>Whether they are of <see cref="ChannelScope.Inner"/>.</summary>
    public bool Inner { get; }

    public IReadOnlyList<ChannelReader> Readers { get; }

    /// <summary>Adds masks that make the network compute what it would with the units multiplied by gates.</summary>
    /// <param name="gates">[units], or [N, units] for gates of each image.</param>
    public void Gate(ChannelMasks masks, Tensor gates)
    {
        CheckCurrent();
        foreach (var reader in Readers)
        {
            // The one behind the last gate is open for good.
            var open = cat([gates, ones_like(gates.narrow(-1, 0, 1))], -1);
            var index = tensor(reader.Unit.Select(unit => unit < 0 ? (long)Count : unit).ToArray(), device: gates.device);
            masks.Read(reader.Node.Name, open.index_select(-1, index));
        }
    }
}
