using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TorchSharp.Interop;

/// <summary>What the C libraries under LibTorch do better with than their defaults, set before any of them is loaded.</summary>
internal static partial class ProcessSettings
{
    // malloc.h
    private const int TrimThreshold = -1;
    private const int MappingThreshold = -3;
    private const int Arenas = -8;

#pragma warning disable CA2255 // It must come before the first call into LibTorch, whichever that is.
    [ModuleInitializer]
    internal static void Apply()
    {
        LimitSpinning();
        KeepFreedMemory();
    }
#pragma warning restore CA2255

    /// <summary>
    /// How long an OpenMP thread without work may spin. By default it spins for milliseconds, which costs nothing while
    /// the machine is ours and nearly everything when another process wants the cores: a forward pass beside a second
    /// busy process took 84 to 123 s, and 8 to 9 s with a short spin (docs/log.md).
    /// </summary>
    /// <remarks>.NET keeps an environment of its own; the runtime reads the process's, once, when it is loaded.</remarks>
    private static void LimitSpinning() => SetEnvironment("GOMP_SPINCOUNT", "2000", overwrite: 0);

    /// <summary>
    /// A tensor of a megabyte that is freed and made again for every operator would otherwise be given back to the system
    /// and faulted in again, page by page: 5 to 20 % of a run (docs/log.md). At most this much is kept, in one place for all
    /// threads that start from here on: what one has freed serves the others, which makes a fifth less of it where they work
    /// beside each other. Those that .NET has started by now have places of their own, which MALLOC_ARENA_MAX keeps them from.
    /// </summary>
    private static void KeepFreedMemory()
    {
        // Where the allocator is not glibc's, or the user has set it, theirs stands.
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("MALLOC_TRIM_THRESHOLD_") is not null)
            return;
        try
        {
            _ = SetAllocator(MappingThreshold, 64 << 20);
            _ = SetAllocator(TrimThreshold, 256 << 20);
            _ = SetAllocator(Arenas, 1);
        }
        catch (EntryPointNotFoundException)
        {
        }
    }

    /// <summary>Gives what is kept back to the system.</summary>
    public static void ReturnFreedMemory()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = Trim(0);
        }
        catch (EntryPointNotFoundException)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint kept);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetAllocator(int parameter, int value);
}
