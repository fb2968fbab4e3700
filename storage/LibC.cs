using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pipelines.Storage;

/// <summary>What the base library lacks: locks between processes, and flushing a folder.</summary>
internal static partial class LibC
{
    public const int ReadWriteCreate = 2 | 0x40;
    public const int ReadFolder = 0x10000;
    public const int LockShared = 1;
    public const int LockExclusive = 2;
    public const int LockNonBlocking = 4;
    private const int CloseOnExec = 0x80000;

    /// <summary>Opens what <see cref="File.OpenHandle"/> would lock or refuse; children do not inherit it.</summary>
    public static SafeFileHandle Open(string path, int flags)
    {
        const int ownerMayReadAndWrite = 0x180;
        var handle = Open(path, flags | CloseOnExec, ownerMayReadAndWrite);
        if (!handle.IsInvalid)
            return handle;
        throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);
}
