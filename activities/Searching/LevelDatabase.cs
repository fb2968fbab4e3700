using Pipelines.Activities.Calibration;
using Pipelines.Activities.Modeling;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Searching;

/// <summary>
/// Every linear of a model at several sparsities, by SparseGPT on dense activations, in files: what EvoPress puts models
/// together from (arXiv:2410.14649, section 3). A level is the same number of weights in every linear, so that exchanging
/// levels keeps the budget.
/// </summary>
public sealed class LevelDatabase : IDisposable
{
    private readonly Dictionary<string, SafetensorsFile> files = [];
    private readonly List<Linear> linears = [];

    private LevelDatabase(int levels, double sparsity, long step) => (Levels, Sparsity, Step) = (levels, sparsity, step);

    /// <summary>Levels above and below the uniform one.</summary>
    public int Levels { get; }

    public double Sparsity { get; }

    /// <summary>Weights of a level.</summary>
    public long Step { get; }

    /// <summary>In the order of the search's units.</summary>
    public IReadOnlyList<Linear> Linears => linears;

    /// <summary>The sparsity of a linear at a level.</summary>
    public double At(Linear linear, int level) => Sparsity + (double)level * Step / linear.Weight.numel();

    /// <summary>The lowest and highest level that leaves something to zero and something to keep.</summary>
    public (int Lowest, int Highest) Bounds(Linear linear) => (
        Enumerable.Range(-Levels, Levels + 1).First(level => At(linear, level) >= 0),
        Enumerable.Range(0, Levels + 1).Last(level => At(linear, level) <= 0.99));

    /// <param name="model">Stays as it is.</param>
    /// <param name="tokens">[sequences, length], int64: calibration.</param>
    /// <param name="folder">For its files.</param>
    /// <param name="stepShare">A level's weights, as a share of the smallest linear's.</param>
    public static LevelDatabase Create(
        CausalLM model, Tensor tokens, string folder, double sparsity, int levels, double stepShare, ReportProgress report,
        CancellationToken cancellation)
    {
        var step = Math.Max(1, (long)(model.Linears().Min(linear => linear.Weight.numel()) * stepShare));
        var database = new LevelDatabase(levels, sparsity, step);
        using var runner = new BlockRunner(model, tokens, cancellation);
        while (runner.MoveNext())
        {
            using (var grams = new SharedInputs<Gram>(() => new Gram()))
            {
                runner.Observe(grams);
                foreach (var group in grams.Groups)
                    database.Add(runner.Block, group.Key, [.. group], folder, cancellation);
            }

            runner.Advance();
            report(runner.Index + 1, model.Blocks.Count, "block of the database");
        }

        return database;
    }

    /// <returns>[out, in], a view of its file.</returns>
    public Tensor Weight(Linear linear, int level) => files[linear.Name].View(Name(level));

    public void Dispose()
    {
        foreach (var file in files.Values)
            file.Dispose();
    }

    private void Add(DecoderBlock block, Gram gram, IReadOnlyList<string> names, string folder, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var factor = InverseFactor.Take(gram.Hessian(), 0.01, names[0]);
        foreach (var linear in block.Linears.Where(linear => names.Contains(linear.Name)))
        {
            var (lowest, highest) = Bounds(linear);
            var path = Path.Combine(folder, $"{linear.Name}.safetensors");
            SafetensorsWriter.Write(path, Enumerable.Range(lowest, highest - lowest + 1).Select(level =>
            {
                cancellation.ThrowIfCancellationRequested();
                var options = new SparseGptOptions(At(linear, level), Cut: MagnitudeCut.Exact);
                return TensorSource.Of(Name(level), SparseGpt.Prune(linear.Weight, factor, options, linear.Name).Weight);
            }));
            files[linear.Name] = SafetensorsFile.Open(path);
            linears.Add(linear);
        }
    }

    private static string Name(int level) => $"level.{level}";
}
