using System.Runtime.InteropServices;
using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

/// <summary>Flushing a folder, and saying how full a disk is.</summary>
public static class Disk
{
    private const int NoSpace = 28; // ENOSPC
    private const int QuotaExceeded = 122; // EDQUOT

    /// <summary>Makes the names in a folder survive a power cut.</summary>
    internal static void FlushFolder(string folder)
    {
        using var handle = LibC.Open(folder, LibC.ReadFolder);
        if (LibC.FSync(handle) != 0)
            throw new IOException($"{folder}: cannot be flushed to the disk: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    public static bool IsFull(IOException error) => error.HResult is NoSpace or QuotaExceeded;

    /// <summary>The error for a user whose disk is full.</summary>
    /// <param name="folder">Where it was written; its files so far are counted as what is needed.</param>
    internal static ArtifactException Full(string folder, IOException error)
    {
        var written = Directory.Exists(folder)
            ? new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length)
            : 0;
        var free = new DriveInfo(folder).AvailableFreeSpace;
        return new ArtifactException(
            $"the disk is full: more than {written} bytes are needed in {folder}, {free} bytes are free", error);
    }
}
