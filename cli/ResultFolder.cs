using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Cli;

/// <summary>Where a run's results go: the files of the checkpoint it exports, and its report.</summary>
internal sealed class ResultFolder
{
    private ResultFolder(string path) => Path = path;

    public string Path { get; }

    /// <summary>Checks, before anything is begun, that the folder is free for results. Makes nothing yet.</summary>
    /// <exception cref="UserException">It holds something else.</exception>
    public static ResultFolder At(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        if (File.Exists(full))
            throw new UserException($"--out {full}: there is a file of this name; expected a folder");
        if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any()
            && !ReportFile.IsOurs(System.IO.Path.Combine(full, ReportFile.Name)))
        {
            throw new UserException($"--out {full}: the folder holds other files; choose an empty or a new one");
        }

        return new ResultFolder(full);
    }

    /// <summary>Makes the folder, and tries it: hours later would be late.</summary>
    /// <exception cref="UserException">It cannot be written to.</exception>
    public void Create()
    {
        try
        {
            Directory.CreateDirectory(Path);
            var probe = System.IO.Path.Combine(Path, ".pipelines-probe");
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"--out {Path}: cannot be written: {error.Message}");
        }
    }

    /// <summary>
    /// Copies every file under a temporary name and renames them when all are there: a full disk leaves no half result.
    /// </summary>
    /// <exception cref="UserException">The disk is full, or the folder is gone.</exception>
    public async Task FillAsync(RunView run, IArtifacts artifacts, CancellationToken cancellation)
    {
        var staged = System.IO.Path.Combine(Path, ".partial");
        try
        {
            Directory.CreateDirectory(staged);
            foreach (var (_, output) in run.Outputs)
            {
                if (Artifact(output) is not { } hash)
                    continue;
                foreach (var file in Directory.EnumerateFiles(await artifacts.OpenAsync(hash, cancellation)))
                {
                    // The artifact's own list of files is the store's business.
                    if (System.IO.Path.GetFileName(file) != "artifact.json")
                        File.Copy(file, System.IO.Path.Combine(staged, System.IO.Path.GetFileName(file)), overwrite: true);
                }
            }

            var names = Directory.EnumerateFiles(staged).Select(file => System.IO.Path.GetFileName(file)).ToArray();
            await File.WriteAllTextAsync(
                System.IO.Path.Combine(staged, ReportFile.Name), ReportFile.Write(run, names), cancellation);

            // What an earlier run left goes; what the user put there stays.
            foreach (var stale in ReportFile.Files(System.IO.Path.Combine(Path, ReportFile.Name)))
                File.Delete(System.IO.Path.Combine(Path, stale));
            foreach (var file in Directory.EnumerateFiles(staged))
                File.Move(file, System.IO.Path.Combine(Path, System.IO.Path.GetFileName(file)), overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            var full = error is IOException io && Disk.IsFull(io) ? "the disk is full: " : "";
            throw new UserException(
                $"the results could not be written to {Path}: {full}{error.Message}\n"
                + "the stages are done and stored: the same command, without --no-cache, only writes the results");
        }
        finally
        {
            if (Directory.Exists(staged))
                Directory.Delete(staged, recursive: true);
        }
    }

    private static string? Artifact(JsonElement output) =>
        output.ValueKind == JsonValueKind.Object && output.TryGetProperty("hash", out var hash) ? hash.GetString() : null;
}
