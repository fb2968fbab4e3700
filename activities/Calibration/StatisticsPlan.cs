using Pipelines.Models;

namespace Pipelines.Activities.Calibration;

/// <summary>What is to be gathered, and at which linears; heads and influence belong to blocks and know no sites.</summary>
public sealed record StatisticsPlan(StatisticKinds Kinds, LinearRoles Sites = LinearRoles.All)
{
    public bool Has(StatisticKinds kind) => (Kinds & kind) != 0;

    public bool Reads(DecoderBlock block, Linear linear) => Sites.HasFlag(RoleOf(block, linear));

    /// <summary>What a linear does in its block.</summary>
    public static LinearRoles RoleOf(DecoderBlock block, Linear linear)
    {
        var (attention, mlp) = (block.Attention, block.Mlp);
        if (linear == attention?.Query)
            return LinearRoles.Query;
        if (linear == attention?.Key)
            return LinearRoles.Key;
        if (linear == attention?.Value)
            return LinearRoles.Value;
        if (linear == attention?.Output)
            return LinearRoles.Output;
        if (linear == mlp?.Gate)
            return LinearRoles.Gate;
        return linear == mlp?.Up ? LinearRoles.Up : LinearRoles.Down;
    }
}
