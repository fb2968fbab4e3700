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

    public static Task<FileLock> ExclusiveAsync(string path, TimeProvider time, CancellationToken cancellation) =>
        WaitAsync(() => TryExclusive(path), time, cancellation);

    public static Task<FileLock> SharedAsync(string path, TimeProvider time, CancellationToken cancellation) =>
        WaitAsync(() => TryShared(path), time, cancellation);

    /// <summary>Null while another holds it exclusively.</summary>
    public static FileLock? TryShared(string path) => Try(path, LibC.LockShared);

    /// <summary>On a folder itself, which goes on being locked when it is renamed.</summary>
    public static FileLock? TryExclusiveFolder(string path) => Try(path, LibC.LockExclusive, LibC.ReadFolder);

    /// <inheritdoc cref="TryExclusiveFolder"/>
    public static FileLock? TrySharedFolder(string path) => Try(path, LibC.LockShared, LibC.ReadFolder);

    public void Dispose() => file.Dispose();

    private static async Task<FileLock> WaitAsync(Func<FileLock?> attempt, TimeProvider time, CancellationToken cancellation)
    {
        while (true)
        {
            if (attempt() is { } held)
                return held;
            await Task.Delay(Retry, time, cancellation);
        }
    }

    private static FileLock? Try(string path, int kind, int mode = LibC.ReadWriteCreate)
    {
        var file = LibC.Open(path, mode);
        if (LibC.Flock(file, kind | LibC.LockNonBlocking) == 0)
            return new FileLock(file);
        file.Dispose();
        return null;
    }
}
