using Pipelines.Workflows;

namespace Pipelines.Tests.Fixtures;

/// <summary>
/// Checkpoints in a folder, one after every step, that pull the plug after a chosen one: what a worker that died there
/// leaves to the next.
/// </summary>
internal sealed class KeptCheckpoints(string folder, long dieAfter = long.MaxValue) : ICheckpoints
{
    public sealed class Died : Exception;

    public StageCheckpoint? Latest => Directory.Exists(folder)
        ? Directory.EnumerateDirectories(folder).Select(path => new StageCheckpoint(path, long.Parse(Path.GetFileName(path), null)))
            .MaxBy(checkpoint => checkpoint.Step)
        : null;

    public bool Due(TimeSpan interval) => true;

    public void Save(long steps, Action<string> write)
    {
        write(Directory.CreateDirectory(Path.Combine(folder, steps.ToString("d6", null))).FullName);
        if (steps >= dieAfter)
            throw new Died();
    }
}
