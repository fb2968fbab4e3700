using Pipelines.Storage;

namespace Pipelines.Cli.Display;

/// <summary>A way to show a run while it goes on: on a terminal, as lines, or for programs.</summary>
internal interface IRunDisplay : IDisposable
{
    /// <summary>Shown again and again, and once more when the run has ended.</summary>
    void Show(RunView run);
}
