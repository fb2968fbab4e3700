using System.Diagnostics;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Tests.Storage;

public sealed class ArtifactDirectoryTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-artifacts-").FullName;
    private readonly ProcessFolder work;
    private readonly ArtifactDirectory artifacts;

    public ArtifactDirectoryTests()
    {
        work = ProcessFolder.Open(folder);
        artifacts = new ArtifactDirectory(folder, work);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        work.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Names_an_artifact_by_its_content_and_nothing_else()
    {
        var one = await CommitAsync(artifacts, ("config.json", "{}"), ("part/weights", "0123"));
        var same = await CommitAsync(artifacts, ("part/weights", "0123"), ("config.json", "{}"));
        var other = await CommitAsync(artifacts, ("config.json", "{}"), ("part/weights", "0124"));

        Assert.Equal("sha256:05fecdf87e7f757e4c97dbbd1b4b6ac63a4f38eb92d72ccbdd9c26d4a4bb7ddb".Length, one.Length);
        Assert.Equal(one, same);
        Assert.NotEqual(one, other);
        var opened = await artifacts.OpenAsync(one, Cancellation);
        Assert.Equal("0123", await File.ReadAllTextAsync(Path.Combine(opened, "part", "weights"), Cancellation));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(folder, "work"), "draft*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Shows_nothing_of_a_draft_that_was_not_committed()
    {
        await using (var draft = artifacts.Begin())
            await File.WriteAllTextAsync(Path.Combine(draft.Folder, "half"), "ha", Cancellation);

        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(folder, "artifacts")));
        Assert.Empty(Directory.EnumerateFiles(folder, "half", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("changed", "weights: expected sha256 ")]
    [InlineData("cut", "weights: expected 4 bytes, found 2 bytes")]
    [InlineData("deleted", "weights: expected 4 bytes, found no such file")]
    [InlineData("added", "more: expected no such file, found a file")]
    [InlineData("list", "artifact.json: expected sha256:")]
    [InlineData("link", "is a link to /etc/passwd: an artifact holds only files")]
    public async Task Says_what_is_damaged_and_how(string damage, string message)
    {
        var hash = await CommitAsync(artifacts, ("weights", "0123"));
        var opened = await artifacts.OpenAsync(hash, Cancellation);
        var weights = Path.Combine(opened, "weights");
        var change = damage switch
        {
            "changed" => () => Rewrite(weights, "0124"),
            "cut" => () => Rewrite(weights, "01"),
            "deleted" => () => File.Delete(weights),
            "added" => () => File.WriteAllText(Path.Combine(opened, "more"), ""),
            "list" => () => Rewrite(Path.Combine(opened, "artifact.json"), "{}"),
            _ => (Action)(() => File.CreateSymbolicLink(Path.Combine(opened, "more"), "/etc/passwd")),
        };
        change();

        // Whether this process has seen it whole before or not.
        var error = await Assert.ThrowsAsync<ArtifactException>(() => artifacts.OpenAsync(hash, Cancellation));
        var fresh = new ArtifactDirectory(folder, work);
        var again = await Assert.ThrowsAsync<ArtifactException>(() => fresh.OpenAsync(hash, Cancellation));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(error.Message, again.Message);
    }

    [Theory]
    [InlineData("sha256:0000000000000000000000000000000000000000000000000000000000000000", "is not there")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../../../../../etc", "names no artifact")]
    [InlineData("md5:0", "names no artifact")]
    public async Task Refuses_what_is_not_there_and_what_is_no_name(string hash, string message)
    {
        var error = await Assert.ThrowsAsync<ArtifactException>(() => artifacts.OpenAsync(hash, Cancellation));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_to_commit_a_link_or_a_second_list()
    {
        await using var linked = artifacts.Begin();
        File.CreateSymbolicLink(Path.Combine(linked.Folder, "passwords"), "/etc/passwd");
        await using var listed = artifacts.Begin();
        await File.WriteAllTextAsync(Path.Combine(listed.Folder, "artifact.json"), "{}", Cancellation);

        var link = await Assert.ThrowsAsync<ArtifactException>(() => linked.CommitAsync(Cancellation));
        var list = await Assert.ThrowsAsync<ArtifactException>(() => listed.CommitAsync(Cancellation));

        Assert.Contains("is a link to /etc/passwd", link.Message, StringComparison.Ordinal);
        Assert.Equal("an artifact's own file may not be called artifact.json", list.Message);
    }

    [Fact]
    public async Task Takes_the_same_content_from_many_at_once()
    {
        using var otherWork = ProcessFolder.Open(folder);
        var other = new ArtifactDirectory(folder, otherWork);

        var hashes = await Task.WhenAll(Enumerable.Range(0, 16).Select(
            i => Task.Run(() => CommitAsync(i % 2 == 0 ? artifacts : other, ("weights", "0123")), Cancellation)));

        var hash = Assert.Single(hashes.Distinct());
        await new ArtifactDirectory(folder, work).OpenAsync(hash, Cancellation);
    }

    [Fact]
    public async Task Mends_a_damaged_artifact_by_committing_it_again()
    {
        var hash = await CommitAsync(artifacts, ("weights", "0123"));
        Rewrite(Path.Combine(await artifacts.OpenAsync(hash, Cancellation), "weights"), "01");

        Assert.Equal(hash, await CommitAsync(artifacts, ("weights", "0123")));

        await new ArtifactDirectory(folder, work).OpenAsync(hash, Cancellation);
    }

    [Fact]
    public void Sweeps_what_a_dead_process_left_and_nothing_else()
    {
        var all = Path.Combine(folder, "work");
        var dead = Directory.CreateDirectory(Path.Combine(all, "dead")).FullName;
        File.WriteAllText(dead + ".lock", "");
        var own = work.Create("draft");

        using var other = ProcessFolder.Open(folder);

        Assert.False(Directory.Exists(dead));
        Assert.False(File.Exists(dead + ".lock"));
        Assert.True(Directory.Exists(own));
    }

    [Fact]
    public async Task Says_that_the_disk_is_full_and_leaves_nothing_behind()
    {
        var disk = Directory.CreateDirectory(Path.Combine(folder, "disk")).FullName;
        Assert.SkipUnless(
            Run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk), "mounting a small disk needs root's rights");
        try
        {
            using var smallWork = ProcessFolder.Open(disk);
            var small = new ArtifactDirectory(disk, smallWork);
            await using var draft = small.Begin();
            // All but the last page, which the list of files would need.
            using (var file = File.OpenHandle(Path.Combine(draft.Folder, "weights"), FileMode.Create, FileAccess.Write))
                Fill(file);

            var error = await Assert.ThrowsAsync<ArtifactException>(() => draft.CommitAsync(Cancellation));

            Assert.Matches($"the disk is full: more than [0-9]+ bytes are needed in {draft.Folder}, [0-9]+ bytes are free", error.Message);
            Assert.False(Directory.Exists(draft.Folder));
            Assert.Empty(Directory.EnumerateFiles(Path.Combine(disk, "artifacts"), "*", SearchOption.AllDirectories));
        }
        finally
        {
            Run("umount", disk);
        }
    }

    private static void Fill(Microsoft.Win32.SafeHandles.SafeFileHandle file)
    {
        var page = new byte[4096];
        try
        {
            for (var offset = 0L; ; offset += page.Length)
                RandomAccess.Write(file, page, offset);
        }
        catch (IOException error) when (Disk.IsFull(error))
        {
        }
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static void Rewrite(string file, string text)
    {
        File.SetAttributes(file, FileAttributes.Normal);
        File.WriteAllText(file, text);
    }

    private static async Task<string> CommitAsync(ArtifactDirectory artifacts, params (string Name, string Text)[] files)
    {
        await using var draft = artifacts.Begin();
        foreach (var (name, text) in files)
        {
            var path = Path.Combine(draft.Folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, text, Cancellation);
        }

        return await draft.CommitAsync(Cancellation);
    }
}
