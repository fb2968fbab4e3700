using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// A statistics artifact: <c>statistics.safetensors</c> with, for every linear of the blocks, <c>.mean</c>,
/// <c>.mean_square</c>, <c>.fluctuation</c> and <c>.variance</c> [in] in double, and whose they are.
/// </summary>
public sealed class StatisticsFile : IDisposable
{
    private const string FileName = "statistics.safetensors";

    private readonly SafetensorsFile file;

    private StatisticsFile(SafetensorsFile file) => this.file = file;

    public Tensor Mean(string linear) => file.View($"{linear}.mean");

    public Tensor MeanSquare(string linear) => file.View($"{linear}.mean_square");

    public Tensor Fluctuation(string linear) => file.View($"{linear}.fluctuation");

    public Tensor Variance(string linear) => file.View($"{linear}.variance");

    /// <exception cref="StageException">They are another model's.</exception>
    public static StatisticsFile Open(string folder, string model)
    {
        var file = SafetensorsFile.Open(Path.Combine(folder, FileName));
        var measured = file.Metadata.GetValueOrDefault("model");
        if (measured == model)
            return new StatisticsFile(file);
        file.Dispose();
        throw new StageException(
            $"these statistics were taken of model {measured}, but this is model {model}: calibrate the model that is pruned");
    }

    /// <param name="identity">Whose statistics, and of what.</param>
    public static void Save(
        string folder, IEnumerable<(string Linear, InputMoments Moments)> all, IReadOnlyDictionary<string, string> identity)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(
            Path.Combine(folder, FileName),
            all.SelectMany(one => new[]
            {
                TensorSource.Of($"{one.Linear}.mean", one.Moments.Mean),
                TensorSource.Of($"{one.Linear}.mean_square", one.Moments.MeanSquare),
                TensorSource.Of($"{one.Linear}.fluctuation", one.Moments.Fluctuation),
                TensorSource.Of($"{one.Linear}.variance", one.Moments.Variance()),
            }),
            identity);
    }

    public void Dispose() => file.Dispose();
}
