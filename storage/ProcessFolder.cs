namespace Pipelines.Storage;

/// <summary>
/// This process's folder for unfinished things, inside the data folder: drafts of artifacts, scratch of stages. It is
/// held by a lock; the folders of processes that are gone are swept when the next one opens its own.
/// </summary>
internal sealed class ProcessFolder : IDisposable
{
    private readonly FileLock held;
    private readonly string path;
    private int last;

    private ProcessFolder(string path, FileLock held)
    {
        this.path = path;
        this.held = held;
    }

    public static ProcessFolder Open(string dataFolder)
    {
        var all = Path.Combine(dataFolder, "work");
        Directory.CreateDirectory(all);
        Sweep(all);
        while (true)
        {
            var own = Path.Combine(all, Guid.CreateVersion7().ToString("N"));
            // A sweep may take the file between its making and its locking; then it is gone or held.
            if (FileLock.TryExclusive(LockOf(own)) is not { } held)
                continue;
            Directory.CreateDirectory(own);
            if (File.Exists(LockOf(own)))
                return new ProcessFolder(own, held);
            held.Dispose();
        }
    }

    /// <summary>A new, empty folder.</summary>
    public string Create(string name)
    {
        var folder = Path.Combine(path, $"{name}-{Interlocked.Increment(ref last)}");
        Directory.CreateDirectory(folder);
        return folder;
    }

    /// <summary>Takes away what processes left behind that are gone.</summary>
    public void SweepDead() => Sweep(Path.GetDirectoryName(path)!);

    public void Dispose()
    {
        Delete(path);
        File.Delete(LockOf(path));
        held.Dispose();
    }

    /// <summary>Deletes a folder that may hold read-only files, or be gone already.</summary>
    public static void Delete(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static void Sweep(string all)
    {
        foreach (var file in Directory.GetFiles(all, "*.lock"))
        {
            using var held = FileLock.TryExclusive(file);
            if (held is null)
                continue;
            Delete(file[..^".lock".Length]);
            File.Delete(file);
        }
    }

    private static string LockOf(string folder) => folder + ".lock";
}
