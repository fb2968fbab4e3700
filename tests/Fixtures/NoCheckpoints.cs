using Pipelines.Workflows;

namespace Pipelines.Tests.Fixtures;

/// <summary>For a stage that runs where nothing is kept.</summary>
internal sealed class NoCheckpoints : ICheckpoints
{
    public StageCheckpoint? Latest => null;

    public bool Due(TimeSpan interval) => false;

    public void Save(long steps, Action<string> write)
    {
    }
}
