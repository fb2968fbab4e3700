using Pipelines.Models;
using Pipelines.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models;

/// <summary>What mapped files hold in memory; beside no other test, since any of them may let all pages go.</summary>
[Collection(nameof(Torch.Alone))]
public sealed class MappedPagesTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Pages_are_let_go_and_nothing_that_was_written_is_lost()
    {
        var x = ScratchTensor.Create(folder, [1 << 18], ScalarType.Float32);
        x.copy_(arange(1 << 18));
        var name = Path.GetFileName(Assert.Single(Directory.EnumerateFiles(folder)));
        Assert.Equal(1024, Resident(name));

        Extensions.ReturnMemory();

        Assert.Equal(0, Resident(name));
        Assert.Equal(Enumerable.Range(0, 1 << 18).Select(i => (float)i), x.data<float>().ToArray());
    }

    [Fact]
    public void What_is_written_again_does_not_stay_in_memory()
    {
        var mapped = Path.Combine(folder, "mapped.safetensors");
        using (var piece = zeros([1 << 22]))
            SafetensorsWriter.Write(mapped, Enumerable.Range(0, 6).Select(i => TensorSource.Of($"{i}", piece)));
        using var file = SafetensorsFile.Open(mapped);

        SafetensorsWriter.Write(
            Path.Combine(folder, "again.safetensors"), file.Tensors.Keys.Select(name => TensorSource.Of(name, file.View(name))));

        // Of 96 MiB what came after the first 64.
        Assert.InRange(Resident(mapped), 0, 33 << 10);
    }

    /// <summary>KiB of a mapped file that are in this process.</summary>
    private static int Resident(string file) => File.ReadLines("/proc/self/smaps")
        .SkipWhile(line => !line.Contains(file, StringComparison.Ordinal))
        .Where(line => line.StartsWith("Rss:", StringComparison.Ordinal))
        .Select(line => int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], null))
        .First();
}
