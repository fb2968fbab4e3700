namespace Pipelines.Torch;

/// <summary>Takes a step as soon as all that come before have taken the same one, or are done.</summary>
/// <param name="step">Which: equal for all. Each takes it once, or not at all.</param>
/// <exception cref="InvalidOperationException">It has taken this step before.</exception>
public delegate void InTurn(object step, Action take);

/// <summary>Who has taken which step, among those that are done beside each other.</summary>
internal sealed class StepOrder
{
    private readonly object gate = new();

    // How many have, counted from the first.
    private readonly Dictionary<object, long> taken = [];
    private readonly HashSet<long> endedBeforeOthers = [];
    private long ended;
    private bool abandoned;

    /// <exception cref="AbandonedException">Another one threw.</exception>
    public void Take(long index, object step, Action take)
    {
        lock (gate)
        {
            while (!abandoned && taken.GetValueOrDefault(step) < index && ended < index)
                Monitor.Wait(gate);
            if (abandoned)
                throw new AbandonedException();
            if (taken.GetValueOrDefault(step) > index)
                throw new InvalidOperationException($"{step}: a step is taken once");
        }

        take();
        Change(() => taken[step] = index + 1);
    }

    public void End(long index) => Change(() =>
    {
        endedBeforeOthers.Add(index);
        while (endedBeforeOthers.Remove(ended))
            ended++;
    });

    public void Abandon() => Change(() => abandoned = true);

    private void Change(Action change)
    {
        lock (gate)
        {
            change();
            Monitor.PulseAll(gate);
        }
    }

    internal sealed class AbandonedException : Exception;
}
