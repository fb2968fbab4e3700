using Pipelines.Engine;
using Pipelines.Engine.Schedules;

namespace Pipelines.Tests.Engine.Schedules;

public sealed class LatestEntryTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-latest-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Is_the_newest_file_or_folder_that_is_neither_hidden_nor_unfinished()
    {
        File("b.safetensors", day: 3);
        File("a.safetensors", day: 4);
        File("notes.txt", day: 5);
        Directory.CreateDirectory(Path.Combine(folder, "checkpoint"));
        Directory.SetLastWriteTimeUtc(Path.Combine(folder, "checkpoint"), Day(6));
        File(".hidden.safetensors", day: 8);
        File("c.safetensors.partial", day: 8);

        Assert.Equal(Path.Combine(folder, "checkpoint"), LatestEntry.Resolve($"latest:{folder}/*"));
        Assert.Equal(Path.Combine(folder, "a.safetensors"), LatestEntry.Resolve($"latest:{folder}/*.safetensors"));
    }

    [Fact]
    public void Of_two_at_the_same_time_the_later_name_wins()
    {
        File("step-2", day: 1);
        File("step-1", day: 1);

        Assert.Equal(Path.Combine(folder, "step-2"), LatestEntry.Resolve($"latest:{folder}/step-*"));
    }

    [Fact]
    public void Says_when_nothing_matches_or_the_folder_is_not_there()
    {
        Assert.Equal(
            $"latest:{folder}/*.gguf: nothing matches *.gguf in {folder}",
            Assert.ThrowsAny<EngineException>(() => LatestEntry.Resolve($"latest:{folder}/*.gguf")).Message);
        Assert.Contains(
            $"{folder}/none cannot be read",
            Assert.ThrowsAny<EngineException>(() => LatestEntry.Resolve($"latest:{folder}/none/*")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("latest:models/*")]
    [InlineData("latest:/models")]
    [InlineData("latest:/mod*/x*")]
    [InlineData("latest:")]
    public void Is_refused_without_a_full_path_and_a_pattern(string value) =>
        Assert.StartsWith(
            $"parameter 'model' is '{value}': expected latest:DIRECTORY/*",
            Assert.ThrowsAny<EngineException>(() => LatestEntry.Check("model", value)).Message, StringComparison.Ordinal);

    private void File(string name, int day)
    {
        System.IO.File.WriteAllText(Path.Combine(folder, name), name);
        System.IO.File.SetLastWriteTimeUtc(Path.Combine(folder, name), Day(day));
    }

    private static DateTime Day(int day) => new(2026, 11, day, 0, 0, 0, DateTimeKind.Utc);
}
