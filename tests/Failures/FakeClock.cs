using System.Diagnostics;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Failures;

/// <summary>
/// A clock that a process sees in place of the machine's, by a library that is loaded into it first (clock.c); it can be
/// set while the process runs. How long things take stays true, as it does on a machine whose clock is set.
/// </summary>
internal sealed class FakeClock : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-clock-").FullName;

    public FakeClock(TimeSpan offset)
    {
        using (var file = new FileStream(Offset, FileMode.CreateNew))
            file.Write(new byte[sizeof(long)]);
        Set(offset);
        var source = Path.Combine(Repository.Root, "tests", "Failures", "clock.c");
        using var compiler = Process.Start("g++", ["-x", "c", "-O2", "-shared", "-fPIC", "-o", Library, source, "-ldl"]);
        compiler.WaitForExit();
        Assert.Equal(0, compiler.ExitCode);
    }

    public Dictionary<string, string> Environment => new() { ["LD_PRELOAD"] = Library, ["TEST_CLOCK"] = Offset };

    private string Library => Path.Combine(folder, "clock.so");

    private string Offset => Path.Combine(folder, "offset");

    /// <summary>Seen at once.</summary>
    public void Set(TimeSpan offset)
    {
        using var file = new FileStream(Offset, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Write(BitConverter.GetBytes((long)offset.TotalSeconds));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
