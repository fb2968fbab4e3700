using System.Globalization;

namespace Pipelines.Tests.Failures;

/// <summary>
/// The clock that a process sees in place of the machine's, by Debian's libfaketime; it can jump. How long things take
/// stays true, as it does on a machine whose clock is set.
/// </summary>
internal sealed class FakeClock : IDisposable
{
    private readonly string library;
    private readonly string file = Path.GetTempFileName();

    public FakeClock(TimeSpan offset)
    {
        library = Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu")
            .Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists) ?? "";
        Assert.SkipUnless(library.Length > 0, "this machine has no libfaketime (Debian: libfaketime)");
        Set(offset);
    }

    public Dictionary<string, string> Environment => new()
    {
        ["LD_PRELOAD"] = library,
        ["FAKETIME_TIMESTAMP_FILE"] = file,
        ["FAKETIME_CACHE_DURATION"] = "1",
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        ["FAKETIME_NO_CACHE"] = "0",
    };

    /// <summary>Heard within a second.</summary>
    public void Set(TimeSpan offset)
    {
        var draft = file + ".new";
        File.WriteAllText(draft, string.Create(CultureInfo.InvariantCulture, $"{offset.TotalSeconds:+0;-0;+0}s\n"));
        File.Move(draft, file, overwrite: true);
    }

    public void Dispose() => File.Delete(file);
}
