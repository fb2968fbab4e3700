using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Pipelines.Torch;

/// <summary>A part of a file, mapped into memory and shared with the file: what is written is the file's.</summary>
public sealed unsafe partial class MappedView : IDisposable
{
    // asm-generic/mman-common.h
    private const int NotNeeded = 4;

    private static readonly HashSet<MappedView> Mapped = [];
    private static readonly Lock Gate = new();

    private readonly MemoryMappedViewAccessor view;
    private readonly nint start;

    /// <param name="offset">Of the first byte, anywhere in the file.</param>
    /// <param name="bytes">0 for all that follow.</param>
    /// <param name="access">For reading, or for reading and writing.</param>
    /// <exception cref="IOException">There is no room for it among the process's addresses.</exception>
    public MappedView(MemoryMappedFile file, long offset, long bytes, MemoryMappedFileAccess access)
    {
        // What is written to a private copy would be lost with its page.
        if (access is not (MemoryMappedFileAccess.Read or MemoryMappedFileAccess.ReadWrite))
            throw new ArgumentOutOfRangeException(nameof(access));
        view = file.CreateViewAccessor(offset, bytes, access);
        byte* page = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref page);
        start = (nint)page;
        lock (Gate)
            Mapped.Add(this);
    }

    /// <summary>Of the first byte.</summary>
    public nint Address => start + (nint)view.PointerOffset;

    public void Dispose()
    {
        // Before it is unmapped: what lies there next may be another's.
        lock (Gate)
        {
            if (!Mapped.Remove(this))
                return;
        }

        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
    }

    /// <summary>
    /// Takes the pages of all mapped files out of the process. They stay in the system's cache, which may drop them where memory
    /// is short, and come back when they are touched.
    /// </summary>
    internal static void LetGo()
    {
        if (!OperatingSystem.IsLinux())
            return;
        lock (Gate)
        {
            // Advice: where it is not taken, the pages stay.
            foreach (var one in Mapped)
                _ = Advise(one.start, (nuint)one.view.SafeMemoryMappedViewHandle.ByteLength, NotNeeded);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
