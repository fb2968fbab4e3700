using Microsoft.Win32.SafeHandles;

namespace Pipelines.Storage;

/// <summary>
/// A lock between processes, on a file. The kernel drops it with the process, however that ends, so nothing is ever
/// left locked or counted by the dead; children that are started do not inherit it.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(20);

    private readonly SafeFileHandle file;

    private FileLock(SafeFileHandle file) => this.file = file;

    /// <summary>Null when another holds it.</summary>
    public static FileLock? TryExclusive(string path) => Try(path, LibC.LockExclusive);

    public static async Task<FileLock> ExclusiveAsync(string path, TimeProvider time, CancellationToken cancellation)
    {
        while (true)
        {
            if (Try(path, LibC.LockExclusive) is { } held)
                return held;
            await Task.Delay(Retry, time, cancellation);
        }
    }

    /// <summary>Null while another holds it exclusively.</summary>
    public static FileLock? TryShared(string path) => Try(path, LibC.LockShared);

    public void Dispose() => file.Dispose();

    private static FileLock? Try(string path, int kind)
    {
        var file = LibC.Open(path, LibC.ReadWriteCreate);
        if (LibC.Flock(file, kind | LibC.LockNonBlocking) == 0)
            return new FileLock(file);
        file.Dispose();
        return null;
    }
}
