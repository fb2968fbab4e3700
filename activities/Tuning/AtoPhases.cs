using Pipelines.Workflows;

namespace Pipelines.Activities.Tuning;

/// <summary>
/// What each step of ATO does. The published run has 245 epochs: weights alone until 25, the choice in between from there
/// until 125, closed groups shortened from 50, the choice settled at 125. That closed groups are 0 at a given step is ours:
/// at the published length the shortening sees to it, in a short run it would not.
/// </summary>
/// <param name="Steps">All steps, of both kinds.</param>
/// <param name="Choose">The step from which on the choice is trained in between.</param>
/// <param name="Shorten">The step from which on closed groups are shortened.</param>
/// <param name="Settle">The step at which the choice is settled.</param>
/// <param name="Closed">The step from which on all closed groups are 0.</param>
/// <param name="Every">Steps of the weights to one of the choice.</param>
public sealed record AtoPhases(int Steps, int Choose, int Shorten, int Settle, int Closed, int Every)
{
    /// <summary>Of shares of the steps.</summary>
    /// <exception cref="StageException">They are not in order, or no step would train the choice.</exception>
    public static AtoPhases Of(int steps, double choose, double shorten, double settle, double closed, int every)
    {
        if (!(choose <= shorten && shorten <= settle && settle < closed))
            throw new StageException($"choose, shorten, settle and closed are {choose}, {shorten}, {settle} and {closed}: expected them in this order");
        var phases = new AtoPhases(steps, At(choose), At(shorten), At(settle), At(closed), every);
        if (phases.ChoicesBefore(steps) == 0)
            throw new StageException($"{phases.Settle - phases.Choose} steps between choose and settle, and one of {every + 1} trains the choice: take more steps, or a lower 'every'");
        return phases.Closed > phases.Settle ? phases : throw new StageException($"no step is left between settle and closed: take more than {steps} steps");

        int At(double share) => (int)Math.Round(share * steps);
    }

    /// <summary>Whether a step trains the choice rather than the weights.</summary>
    public bool Chooses(int step) => step >= Choose && step < Settle && (step - Choose) % (Every + 1) == Every;

    /// <summary>How many steps before this one trained the choice.</summary>
    public int ChoicesBefore(int step) => (Math.Clamp(step, Choose, Math.Max(Choose, Settle)) - Choose) / (Every + 1);

    /// <summary>The choice's learning rate: a tenth in the last fiftieth of its time.</summary>
    public double ChoiceRate(int step, double rate) => step < Choose + 0.98 * (Settle - Choose) ? rate : rate / 10;

    /// <summary>What closed groups are multiplied by: 1 at first, then so that they end at 0.</summary>
    public double Shrink(int step) => GroupAlgebra.Shrink(step, (Settle + Closed) / 2, Closed);
}
