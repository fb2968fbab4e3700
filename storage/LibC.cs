using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pipelines.Storage;

/// <summary>What the base library lacks: locks between processes, flushing a folder, moving a standard stream.</summary>
internal static partial class LibC
{
    public const int ReadWriteCreate = 2 | 0x40;
    public const int ReadFolder = 0x10000;
    public const int LockShared = 1;
    public const int LockExclusive = 2;
    public const int LockNonBlocking = 4;
    private const int CloseOnExec = 0x80000;
    private const int DuplicateCloseOnExec = 1030;

    /// <summary>Opens what <see cref="File.OpenHandle"/> would lock or refuse; children do not inherit it.</summary>
    public static SafeFileHandle Open(string path, int flags)
    {
        const int ownerMayReadAndWrite = 0x180;
        var handle = Open(path, flags | CloseOnExec, ownerMayReadAndWrite);
        if (!handle.IsInvalid)
            return handle;
        throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>A second descriptor of an open file; children do not inherit it.</summary>
    public static SafeFileHandle Duplicate(int descriptor)
    {
        const int notAStandardStream = 3;
        return FControl(descriptor, DuplicateCloseOnExec, notAStandardStream);
    }

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    public static partial int Dup2(int descriptor, int becomes);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int FSync(SafeFileHandle file);

    /// <summary>What a fault of native code does to a process.</summary>
    public static void Crash() => FillMemory(0, 0, 1);

    /// <summary>Lets this process's memory grow by so many bytes and no further.</summary>
    public static void LimitMemory(long more)
    {
        const int addressSpace = 9;
        var taken = long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[0], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
        var limit = new Limit(taken + more, taken + more);
        if (SetLimit(addressSpace, limit) != 0)
            throw new IOException($"the memory cannot be limited: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "memset")]
    private static partial nint FillMemory(nint start, int value, nint count);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetLimit(int resource, in Limit limit);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial SafeFileHandle FControl(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);

    private readonly record struct Limit(long Soft, long Hard);
}
