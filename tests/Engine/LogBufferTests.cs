using Pipelines.Engine;

namespace Pipelines.Tests.Engine;

public sealed class LogBufferTests
{
    private static readonly DateTimeOffset Time = DateTimeOffset.UnixEpoch;

    [Fact]
    public void Keeps_the_first_lines_and_counts_those_that_it_leaves_out()
    {
        var buffer = new LogBuffer();
        for (var line = 0; line < 1_000_000; line++)
            buffer.Add(Time.AddSeconds(line), $"line {line}");

        Assert.Equal(LogBuffer.MostLines + 1, buffer.Lines.Count);
        Assert.Equal("line 9999", buffer.Lines[^2].Text);
        Assert.Equal(
            (Time.AddSeconds(10_000), "… 990000 lines are missing here: they came faster than the database took them"), buffer.Lines[^1]);
    }

    [Fact]
    public void Keeps_so_many_characters_of_long_lines()
    {
        var buffer = new LogBuffer();
        for (var line = 0; line < 1000; line++)
            buffer.Add(Time, new string('x', 1_000_000));

        Assert.InRange(buffer.Lines.Sum(line => line.Text.Length), LogBuffer.LongestLine, LogBuffer.MostCharacters + 100);
        Assert.Equal(LogBuffer.LongestLine + 1, buffer.Lines[0].Text.Length);
    }

    [Fact]
    public void Does_not_grow_while_nothing_can_be_written()
    {
        var waiting = new LogBuffer();
        for (var attempt = 0; attempt < 20; attempt++)
        {
            var since = new LogBuffer();
            for (var line = 0; line < 20_000; line++)
                since.Add(Time, "a line");
            waiting.Append(since);
        }

        Assert.Equal(LogBuffer.MostLines + 1, waiting.Lines.Count);
        Assert.StartsWith("… 390000 lines are missing here", waiting.Lines[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_came_later_stands_behind_what_came_first()
    {
        var (first, later) = (new LogBuffer(), new LogBuffer());
        first.Add(Time, "first");
        later.Add(Time, "later");

        first.Append(later);

        Assert.Equal(["first", "later"], first.Lines.Select(line => line.Text));
        Assert.False(first.IsEmpty);
    }
}
