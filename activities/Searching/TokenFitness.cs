using Pipelines.Activities.Allocation;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Searching;

/// <summary>
/// How far a changed model's next-token distributions are from the dense one's on tokens drawn for each stage of a search:
/// the mean of <c>KL(dense ‖ candidate)</c> over positions (EvoPress, arXiv:2410.14649, section 3).
/// </summary>
/// <param name="tokens">[sequences, length], int64: what is drawn from.</param>
public sealed class TokenFitness(CausalLM dense, Tensor tokens) : IDisposable
{
    private FitnessBatch? drawn;
    private readonly List<(Tensor Tokens, Tensor Teacher)> rows = [];

    /// <param name="candidate">Logits [1, T, vocabulary] of tokens [1, T].</param>
    public double Of(FitnessBatch batch, Func<Tensor, Tensor> candidate)
    {
        using var ungraded = no_grad();
        if (batch != drawn)
            Draw(batch);
        var sum = 0.0;
        foreach (var (row, teacher) in rows)
        {
            using var scope = NewDisposeScope();
            var student = candidate(row).log_softmax(-1);
            sum += (teacher.exp() * (teacher - student)).sum([-1L]).mean().ToDouble();
        }

        return sum / rows.Count;
    }

    public void Dispose() => Forget();

    /// <summary>As many whole sequences as hold the tokens asked for, at least one, drawn without repetition.</summary>
    private void Draw(FitnessBatch batch)
    {
        Forget();
        var count = (int)Math.Clamp((batch.Tokens + tokens.shape[1] - 1) / tokens.shape[1], 1, tokens.shape[0]);
        var order = Enumerable.Range(0, (int)tokens.shape[0]).ToArray();
        new Random((int)(batch.Seed & int.MaxValue)).Shuffle(order);
        foreach (var sequence in order.Take(count).Order())
        {
            var row = tokens.narrow(0, sequence, 1).DetachFromDisposeScope();
            using var logits = dense.Forward(row);
            rows.Add((row, logits.log_softmax(-1).DetachFromDisposeScope()));
        }

        drawn = batch;
    }

    private void Forget()
    {
        foreach (var (row, teacher) in rows)
        {
            row.Dispose();
            teacher.Dispose();
        }

        rows.Clear();
        drawn = null;
    }
}
