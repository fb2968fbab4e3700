using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pipelines.Storage;

/// <summary>
/// A lock between processes, on a file. The kernel drops it with the process, however that ends, so nothing is ever
/// left locked or counted by the dead; children that are started do not inherit it.
/// </summary>
internal sealed partial class FileLock : IDisposable
{
    private const int Shared = 1;
    private const int Exclusive = 2;
    private const int NonBlocking = 4;
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(20);

    private readonly SafeFileHandle file;

    private FileLock(SafeFileHandle file) => this.file = file;

    /// <summary>Null when another holds it.</summary>
    public static FileLock? TryExclusive(string path) => Try(path, Exclusive);

    public static async Task<FileLock> ExclusiveAsync(string path, TimeProvider time, CancellationToken cancellation)
    {
        while (true)
        {
            if (Try(path, Exclusive) is { } held)
                return held;
            await Task.Delay(Retry, time, cancellation);
        }
    }

    /// <summary>Null while another holds it exclusively.</summary>
    public static FileLock? TryShared(string path) => Try(path, Shared);

    public void Dispose() => file.Dispose();

    private static FileLock? Try(string path, int kind)
    {
        // Opened with O_CLOEXEC. ReadWrite sharing keeps the base library from taking a lock of its own.
        var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (Flock(file, kind | NonBlocking) == 0)
            return new FileLock(file);
        file.Dispose();
        return null;
    }

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);
}
