using System.Globalization;

namespace Pipelines.Activities.Calibration;

/// <summary>Whose activations each block reads while it is measured.</summary>
public enum Propagation
{
    /// <summary>The dense model's.</summary>
    Dense,

    /// <summary>Those of another, compressed model's blocks before it.</summary>
    Sequential,
}

/// <summary>Of what, on what and how statistics were gathered: part of the statistics, as text.</summary>
/// <param name="Model">The hash of the checkpoint.</param>
/// <param name="Dataset">The hash of the calibration set.</param>
/// <param name="Compressed">The hash of the checkpoint whose activations were propagated; null for the model itself.</param>
public sealed record CalibrationIdentity(
    string Model, string Dataset, long Sequences, long Length, string? Compressed, StatisticsPlan Plan)
{
    public IReadOnlyDictionary<string, string> Write()
    {
        var written = new Dictionary<string, string>
        {
            ["model"] = Model,
            ["dataset"] = Dataset,
            ["sequences"] = Sequences.ToString(CultureInfo.InvariantCulture),
            ["length"] = Length.ToString(CultureInfo.InvariantCulture),
            ["propagation"] = Compressed is null ? "dense" : "sequential",
            ["kinds"] = StatisticWords.Write(Plan.Kinds),
            ["sites"] = Plan.Sites == LinearRoles.All ? "all" : StatisticWords.Write(Plan.Sites),
        };
        if (Compressed is not null)
            written["compressed"] = Compressed;
        return written;
    }
}
