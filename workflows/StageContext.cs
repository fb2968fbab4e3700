namespace Pipelines.Workflows;

/// <summary>What a running stage may use of the engine.</summary>
/// <param name="Run">The run's id.</param>
/// <param name="Stage">The stage's id in the workflow.</param>
/// <param name="Attempt">1 for the first.</param>
/// <param name="Artifacts">Where artifacts are read and written.</param>
/// <param name="Device">PyTorch's device string: <c>cpu</c> or <c>cuda:0</c>.</param>
/// <param name="Scratch">An empty folder for files of this attempt; deleted afterwards.</param>
/// <param name="Progress">Told often; kept at a rate that costs nothing.</param>
/// <param name="Log">One line of the stage's log.</param>
/// <param name="Checkpoints">Where a long stage keeps how far it is.</param>
public sealed record StageContext(
    Guid Run,
    string Stage,
    int Attempt,
    IArtifacts Artifacts,
    string Device,
    string Scratch,
    Action<StageProgress> Progress,
    Action<string> Log,
    ICheckpoints Checkpoints)
{
    public void Report(long done, long total, string unit, params ReadOnlySpan<(string Name, double Value)> figures)
    {
        var named = new Dictionary<string, double>(figures.Length);
        // What is no number has no place on a screen; a stage that gets one as its result fails with it.
        foreach (var (name, value) in figures)
        {
            if (double.IsFinite(value))
                named[name] = value;
        }

        Progress(new StageProgress(done, total, unit, named));
    }
}

/// <summary>How far a stage is: <paramref name="Done"/> of <paramref name="Total"/> <paramref name="Unit"/>s.</summary>
/// <param name="Unit">What is counted: <c>step</c>, <c>layer</c>, <c>window</c>, <c>byte</c>.</param>
/// <param name="Figures">Named numbers worth watching: <c>loss</c>, <c>tokens/s</c>. Finite only.</param>
public sealed record StageProgress(long Done, long Total, string Unit, IReadOnlyDictionary<string, double> Figures)
{
    /// <summary>Without the figures that are no numbers.</summary>
    public StageProgress Finite() => Figures.Values.All(double.IsFinite)
        ? this
        : this with { Figures = Figures.Where(figure => double.IsFinite(figure.Value)).ToDictionary() };
}

/// <summary>
/// A stage failed for a reason that its user can act on; the message is the whole story, and no stack is shown.
/// </summary>
public sealed class StageException : Exception
{
    public StageException(string message)
        : base(message)
    {
    }

    public StageException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
