using System.ComponentModel;
using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>Sets measurements beside each other; refuses those of different protocols.</summary>
[Description("Dense, pruned and recovered side by side, all measured by one protocol")]
public sealed class CompareModels : Activity<CompareModels.Inputs, None, CompareModels.Outputs>
{
    public sealed record Inputs(Measurement Dense, Measurement Pruned, Measurement? Recovered);

    public sealed record Outputs(Comparison Report);

    public override string Kind => "report";

    public override Task<Outputs> RunAsync(
        Inputs inputs, None parameters, StageContext stage, CancellationToken cancellation) =>
        Task.FromResult(new Outputs(Compare(inputs.Dense, inputs.Pruned, inputs.Recovered)));

    public static Comparison Compare(Measurement dense, Measurement pruned, Measurement? recovered)
    {
        foreach (var (name, other) in new[] { (nameof(pruned), pruned), (nameof(recovered), recovered) })
        {
            if (other is not null && other.Protocol != dense.Protocol)
            {
                throw new StageException(
                    $"{name} was measured by '{other.Protocol}', dense by '{dense.Protocol}': "
                    + $"their {dense.Plural()} cannot be compared; evaluate both with the same data and settings");
            }
        }

        return new Comparison(dense.Protocol, Figures(dense), Figures(pruned), recovered is null ? null : Figures(recovered));
    }

    internal static ModelFigures Figures(Measurement measured) =>
        new(measured.Perplexity, measured.Parameters, measured.Nonzero, measured.Bytes, measured.Flops, measured.Accuracy);
}
