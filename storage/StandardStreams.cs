using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pipelines.Storage;

/// <summary>
/// Takes this process's standard input or output for a conversation that nothing else may read or write, native code
/// included. Children that are started do not inherit it.
/// </summary>
internal static class StandardStreams
{
    private const int Input = 0;
    private const int Output = 1;
    private const int Error = 2;

    /// <summary>Whoever reads standard input from now on finds it at its end.</summary>
    public static SafeFileHandle TakeInput()
    {
        using var nothing = LibC.Open("/dev/null", LibC.ReadWriteCreate);
        return Take(Input, (int)nothing.DangerousGetHandle());
    }

    /// <summary>What is written to standard output from now on goes to standard error.</summary>
    public static SafeFileHandle TakeOutput() => Take(Output, Error);

    private static SafeFileHandle Take(int stream, int instead)
    {
        var taken = LibC.Duplicate(stream);
        if (taken.IsInvalid || LibC.Dup2(instead, stream) < 0)
            throw new IOException($"standard stream {stream} cannot be taken over: {Marshal.GetLastPInvokeErrorMessage()}");
        return taken;
    }
}
