namespace Pipelines.Activities.Pruning;

/// <summary>
/// Sparsity that grows fast at first and slowly in the end (Zhu and Gupta, arXiv:1710.01878, equation 1):
/// <c>s_f + (s_i − s_f)(1 − (t − t₀) / (t₁ − t₀))³</c>, before t₀ the initial one, after t₁ the final one.
/// </summary>
/// <param name="Begin">t₀, a step.</param>
/// <param name="End">t₁, a step after it.</param>
public sealed record CubicSchedule(double Initial, double Final, int Begin, int End)
{
    public double At(int step)
    {
        if (step >= End)
            return Final;
        var left = 1 - Math.Max(0, step - Begin) / (double)(End - Begin);
        return Final + (Initial - Final) * left * left * left;
    }
}
