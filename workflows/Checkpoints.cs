namespace Pipelines.Workflows;

/// <summary>
/// A stage's place for checkpoints: what an attempt saves, the next one goes on from, on whatever worker. A checkpoint
/// holds everything that the rest of the computation depends on, so that its result has the same bits as an undisturbed
/// one: parameters, optimizer, generator states, position in the data.
/// </summary>
public interface ICheckpoints
{
    /// <summary>The last that this stage saved for the same work (kind, version, parameters, inputs); null for none.</summary>
    StageCheckpoint? Latest { get; }

    /// <summary>
    /// Whether <paramref name="interval"/> has passed since the last one, or the stage was told to stop: then it saves
    /// one more and looks at its cancellation.
    /// </summary>
    bool Due(TimeSpan interval);

    /// <summary>
    /// Saves a checkpoint; it takes the last one's place when it is whole. A database that is away does not fail it: the
    /// last one stands, and the stage goes on.
    /// </summary>
    /// <param name="steps">Steps done.</param>
    /// <param name="write">Writes its files into the folder that it is given.</param>
    void Save(long steps, Action<string> write);
}

/// <param name="Folder">Its files; read only.</param>
/// <param name="Step">Steps done.</param>
public sealed record StageCheckpoint(string Folder, long Step);
