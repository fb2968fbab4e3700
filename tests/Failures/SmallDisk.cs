using System.Diagnostics;

namespace Pipelines.Tests.Failures;

/// <summary>A disk of a few megabytes that can be filled to the last byte and freed again; gone afterwards.</summary>
internal sealed class SmallDisk : IDisposable
{
    private const int Page = 4096;

    public SmallDisk(int megabytes)
    {
        var (mounted, why) = Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=755", "tmpfs", Folder);
        if (mounted)
            return;
        Directory.Delete(Folder);
        Assert.Skip($"a small disk cannot be mounted here, which needs root: {why}");
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("pipelines-disk-").FullName;

    private string Ballast => Path.Combine(Folder, "ballast");

    /// <summary>Until nothing more goes on it.</summary>
    /// <param name="leave">Bytes, in whole pages.</param>
    public void Fill(long leave = 0)
    {
        using (var ballast = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
        {
            try
            {
                while (true)
                    ballast.Write(new byte[Page]);
            }
            catch (IOException)
            {
                // It is full.
            }

            ballast.SetLength(Math.Max(0, (ballast.Length - leave) / Page * Page));
        }
    }

    public void Free() => File.Delete(Ballast);

    public void Dispose()
    {
        Run("umount", "--lazy", Folder);
        Directory.Delete(Folder);
    }

    private static (bool Done, string Why) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode == 0, errors.Trim());
    }
}
