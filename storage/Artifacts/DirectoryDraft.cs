using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

/// <param name="commit">Gives the folder its name, and says which.</param>
internal sealed class DirectoryDraft(string folder, Func<string, CancellationToken, Task<string>> commit) : ArtifactDraft
{
    public override string Folder => folder;

    public override async Task<string> CommitAsync(CancellationToken cancellation)
    {
        try
        {
            return await commit(folder, cancellation);
        }
        catch (IOException error) when (Disk.IsFull(error))
        {
            var full = Disk.Full(folder, error);
            ProcessFolder.Delete(folder);
            throw full;
        }
    }

    public override ValueTask DisposeAsync()
    {
        ProcessFolder.Delete(folder);
        return ValueTask.CompletedTask;
    }
}
