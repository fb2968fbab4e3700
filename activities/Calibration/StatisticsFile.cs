using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// A statistics artifact: <c>statistics.safetensors</c> with what was gathered of every linear's input, <c>.mean</c>,
/// <c>.mean_square</c>, <c>.fluctuation</c> and <c>.variance</c> [in], <c>.gram</c> [in, in], of query and key
/// <c>.heads</c> [heads, dim, dim], and of every block <c>.influence</c> [1], all in double, and whose they are.
/// </summary>
public sealed class StatisticsFile : IDisposable
{
    private const string FileName = "statistics.safetensors";
    private const string SharedPrefix = "shared:";

    private readonly SafetensorsFile file;

    private StatisticsFile(SafetensorsFile file) => this.file = file;

    public Tensor Mean(string linear) => View(linear, "mean", StatisticKinds.Mean);

    public Tensor MeanSquare(string linear) => View(linear, "mean_square", StatisticKinds.MeanSquare);

    public Tensor Fluctuation(string linear) => View(linear, "fluctuation", StatisticKinds.Fluctuation);

    public Tensor Variance(string linear) => View(linear, "variance", StatisticKinds.Variance);

    /// <summary>ΣXᵀX, [in, in].</summary>
    public Tensor Gram(string linear) =>
        View(file.Metadata.GetValueOrDefault(SharedPrefix + linear, linear), "gram", StatisticKinds.Gram);

    /// <summary>ΣYᵀY of each head of a query's or key's output, [heads, dim, dim].</summary>
    public Tensor Heads(string linear) => View(linear, "heads", StatisticKinds.Heads);

    /// <param name="block">Its name in the checkpoint.</param>
    public double Influence(string block)
    {
        using var value = View(block, "influence", StatisticKinds.Influence);
        return value.data<double>()[0];
    }

    /// <param name="propagation">How they must have been gathered; null for either way.</param>
    /// <exception cref="StageException">They are another model's, or were gathered in another way.</exception>
    public static StatisticsFile Open(string folder, string model, Propagation? propagation = null)
    {
        var file = SafetensorsFile.Open(Path.Combine(folder, FileName));
        var measured = file.Metadata.GetValueOrDefault("model");
        var way = file.Metadata.GetValueOrDefault("propagation", "dense");
        var wanted = propagation?.ToString().ToLowerInvariant() ?? way;
        if (measured == model && way == wanted)
            return new StatisticsFile(file);
        file.Dispose();
        throw new StageException(measured == model
            ? $"these statistics were gathered with {way} propagation: expected {wanted}; set it up in calibrate.statistics"
            : $"these statistics were taken of model {measured}, but this is model {model}: calibrate the model that is pruned");
    }

    /// <param name="blocks">The files of a model's blocks, as <see cref="Write"/> wrote them.</param>
    public static void Join(string folder, IEnumerable<string> blocks, CalibrationIdentity identity)
    {
        using var scope = NewDisposeScope();
        var files = blocks.Select(SafetensorsFile.Open).ToArray();
        try
        {
            SafetensorsWriter.Write(
                Path.Combine(folder, FileName),
                files.SelectMany(file => file.Tensors.Keys.Select(name => TensorSource.Of(name, file.View(name)))),
                files.SelectMany(file => file.Metadata).Concat(identity.Write()).ToDictionary());
        }
        finally
        {
            foreach (var file in files)
                file.Dispose();
        }
    }

    /// <summary>Those of one block.</summary>
    /// <param name="shared">Linears whose Gram matrix is under another's name.</param>
    public static void Write(
        string path, IEnumerable<(string Name, Tensor Tensor)> statistics, IReadOnlyDictionary<string, string> shared) =>
        SafetensorsWriter.Write(
            path, statistics.Select(one => TensorSource.Of(one.Name, one.Tensor)),
            shared.ToDictionary(one => SharedPrefix + one.Key, one => one.Value));

    public void Dispose() => file.Dispose();

    private Tensor View(string of, string what, StatisticKinds kind)
    {
        if (file.Tensors.ContainsKey($"{of}.{what}"))
            return file.View($"{of}.{what}");
        var sites = file.Metadata.GetValueOrDefault("sites", "all");
        throw new StageException(
            $"these statistics hold no {what} of {of}, only {file.Metadata.GetValueOrDefault("kinds", "the four moments")} at {sites}: "
            + $"add '{StatisticWords.Write(kind)}' to 'collect' of calibrate.statistics, and its linears to 'sites'");
    }
}
