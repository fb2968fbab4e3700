using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

internal sealed class DirectoryDraft(ArtifactDirectory artifacts, string folder) : ArtifactDraft
{
    public override string Folder => folder;

    public override async Task<string> CommitAsync(CancellationToken cancellation)
    {
        try
        {
            return await artifacts.CommitAsync(folder, cancellation);
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
