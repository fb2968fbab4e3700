using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TorchSharp.Interop;

/// <summary>
/// Tells OpenMP's runtime how long a thread without work may spin. By default it spins for milliseconds, which costs
/// nothing while the machine is ours and nearly everything when another process wants the cores: a forward pass beside a
/// second busy process took 84 to 123 s, and 8 to 9 s with a short spin (docs/log.md).
/// </summary>
internal static partial class OpenMP
{
    private const string Spins = "2000";

    // .NET keeps an environment of its own; the runtime reads the process's, once, when it is loaded.
#pragma warning disable CA2255 // It must come before the first call into LibTorch, whichever that is.
    [ModuleInitializer]
    internal static void LimitSpinning() => SetEnvironment("GOMP_SPINCOUNT", Spins, overwrite: 0);
#pragma warning restore CA2255

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
