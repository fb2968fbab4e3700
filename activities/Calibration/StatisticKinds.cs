using Pipelines.Workflows;

namespace Pipelines.Activities.Calibration;

/// <summary>What is gathered of a model over a calibration set. Each has its name in a statistics file.</summary>
[Flags]
public enum StatisticKinds
{
    None = 0,

    /// <summary>[in], of a linear's input.</summary>
    Mean = 1,

    /// <summary>[in]: Σ_t x², the mean over sequences.</summary>
    MeanSquare = 2,

    /// <summary>[in]: FLAP's, as released.</summary>
    Fluctuation = 4,

    /// <summary>[in], over all tokens.</summary>
    Variance = 8,

    /// <summary>[in, in]: ΣXᵀX over all tokens.</summary>
    Gram = 16,

    /// <summary>[heads, dim, dim]: ΣYᵀY of what query and key make for each head, before the rotary embedding.</summary>
    Heads = 32,

    /// <summary>Of a block, [1]: 1 − the mean over tokens of cos(x_in, x_out) (ShortGPT, arXiv:2403.03853).</summary>
    Influence = 64,

    /// <summary>The four vectors of a linear's input.</summary>
    Moments = Mean | MeanSquare | Fluctuation | Variance,
}

/// <summary>Linears by what they do in a block.</summary>
[Flags]
public enum LinearRoles
{
    None = 0,
    Query = 1,
    Key = 2,
    Value = 4,
    Output = 8,
    Gate = 16,
    Up = 32,
    Down = 64,
    All = 127,
}

/// <summary>The words of the two in a workflow: <c>mean,gram</c>, <c>value,down</c>.</summary>
public static class StatisticWords
{
    public const string Kinds = "^(moments|mean|meanSquare|fluctuation|variance|gram|heads|influence)"
        + "(,(moments|mean|meanSquare|fluctuation|variance|gram|heads|influence))*$";

    public const string KindsExpected =
        "expected some of moments (= mean,meanSquare,fluctuation,variance), mean, meanSquare, fluctuation, variance, gram, heads, influence, "
        + "with commas between them";

    public const string Roles = "^(all|query|key|value|output|gate|up|down)(,(all|query|key|value|output|gate|up|down))*$";

    public const string RolesExpected = "expected all, or some of query, key, value, output, gate, up, down, with commas between them";

    /// <exception cref="StageException">A word is none of them.</exception>
    public static T Parse<T>(string words)
        where T : struct, Enum
    {
        // The reader of enums knows lists with commas, and numbers, which are no words here.
        return !words.Any(char.IsDigit) && Enum.TryParse<T>(words, ignoreCase: true, out var parsed)
            ? parsed
            : throw new StageException($"'{words}' is not understood: expected some of {Write(Enum.GetValues<T>())}");
    }

    /// <summary>As in a workflow, the smallest first.</summary>
    public static string Write<T>(T flags)
        where T : struct, Enum =>
        Write(Enum.GetValues<T>().Where(flag => IsSingle(flag) && flags.HasFlag(flag)));

    private static string Write<T>(IEnumerable<T> flags)
        where T : struct, Enum =>
        string.Join(',', flags.Select(flag => flag.ToString()).Select(name => char.ToLowerInvariant(name[0]) + name[1..]));

    private static bool IsSingle<T>(T flag)
        where T : struct, Enum => int.IsPow2(Convert.ToInt32(flag, null));
}
