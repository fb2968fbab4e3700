using System.Text.Json;
using Pipelines.Cli.Display;
using Pipelines.Storage;
using Spectre.Console;

namespace Pipelines.Tests.Cli;

/// <summary>A run on a pipe, for a program, and on a terminal.</summary>
public sealed class DisplayTests
{
    private readonly StringWriter written = new() { NewLine = "\n" };

    [Fact]
    public void A_pipe_gets_a_line_for_each_change_of_state()
    {
        using var display = new LineDisplay(written, new StoppedClock());

        display.Show(Views.Run(Views.Stage("a", StageState.Ready), Views.Stage("b", StageState.Waiting)));
        display.Show(Views.Run(Views.Stage("a", StageState.Running), Views.Stage("b", StageState.Waiting)));
        display.Show(Views.Run(Views.Stage("a", StageState.Running), Views.Stage("b", StageState.Waiting)));
        display.Show(Views.Run(Views.Stage("a", StageState.Succeeded, 2.5), Views.Stage("b", StageState.Succeeded, 1, reused: true)));

        Assert.Equal("a: running\na: succeeded in 2.5 s\nb: reused\n", written.ToString());
    }

    [Fact]
    public void A_pipe_gets_progress_every_five_seconds()
    {
        var clock = new StoppedClock();
        using var display = new LineDisplay(written, clock);

        display.Show(At(10, 1));
        clock.Pass(4.9);
        display.Show(At(49, 4.9));
        clock.Pass(0.1);
        display.Show(At(50, 5));
        display.Show(At(51, 5.1));
        clock.Pass(5);
        display.Show(At(80, 10));

        Assert.Equal("a: running\na: 50/100 step  5.0 s left\na: 80/100 step  2.5 s left\n", written.ToString());

        static RunView At(long done, double seconds) =>
            Views.Run(Views.Stage("a", StageState.Running, seconds, Views.Progress(done, 100)));
    }

    [Fact]
    public void A_pipe_says_nothing_of_a_running_stage_that_reports_nothing()
    {
        var clock = new StoppedClock();
        using var display = new LineDisplay(written, clock);

        display.Show(Views.Run(Views.Stage("a", StageState.Running)));
        clock.Pass(60);
        display.Show(Views.Run(Views.Stage("a", StageState.Running)));

        Assert.Equal("a: running\n", written.ToString());
    }

    [Fact]
    public void A_program_gets_an_event_for_each_change_and_none_for_time_that_passes()
    {
        using var display = new JsonDisplay(written);

        display.Show(Views.Run(Views.Stage("a", StageState.Running, 1)));
        display.Show(Views.Run(Views.Stage("a", StageState.Running, 2)));
        display.Show(Views.Run(Views.Stage("a", StageState.Running, 3, Views.Progress(1, 2))));
        display.Show(Views.Run(RunState.Failed, Views.Stage("a", StageState.Failed, 4, error: "why\n\"so\"")));

        var events = written.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).ToArray();
        Assert.Equal(
            ["running", "running", "failed", "failed"], events.Select(one => one.GetProperty("state").GetString()));
        Assert.Equal(["stage", "stage", "stage", "run"], events.Select(one => one.GetProperty("event").GetString()));
        Assert.Equal("why\n\"so\"", events[2].GetProperty("error").GetString());
        Assert.Equal(3, events[3].GetProperty("seconds").GetDouble());
    }

    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(132)]
    public void A_terminal_gets_one_line_per_stage_and_none_is_wider_than_it(int width)
    {
        var longName = "a-stage-with-a-name-" + new string('x', 44);
        var run = Views.Run(
            Views.Stage(longName, StageState.Running, 5000, Views.Progress(1_000_000, 3_000_000, ("loss", 2.31), ("tokens/s", 18_200), ("a-long-figure", 1e7))),
            Views.Stage("failed", StageState.Failed, 3, error: new string('e', 300) + "\nsecond line"),
            Views.Stage("done", StageState.Succeeded, 61),
            Views.Stage("[red]", StageState.Succeeded, reused: true),
            Views.Stage("waiting", StageState.Waiting),
            Views.Stage("blocked", StageState.Blocked));

        var lines = Drawn(run, width);

        Assert.Equal(run.Stages.Count, lines.Length);
        Assert.All(lines, line => Assert.True(line.Length <= width, $"{line.Length}: {line}"));
        Assert.Contains("[red]", lines[3]);
        Assert.DoesNotContain(lines, line => line.Contains("second", StringComparison.Ordinal));
    }

    [Fact]
    public void A_terminal_shows_how_far_a_stage_is()
    {
        var line = Assert.Single(Drawn(Views.Run(Views.Stage("train", StageState.Running, 12, Views.Progress(150, 300, ("loss", 2.31)))), 80));

        Assert.Contains("train", line);
        Assert.Contains("━━━━━─────", line);
        Assert.Contains("150/300 step  loss 2.310  12 s  12 s left", line);
    }

    [Fact]
    public void A_terminal_with_fewer_lines_than_stages_shows_what_runs_and_counts_the_rest()
    {
        var stages = Enumerable.Range(1, 90).Select(i => Views.Stage($"s{i}", i switch
        {
            <= 40 => StageState.Succeeded,
            41 or 42 => StageState.Running,
            43 => StageState.Failed,
            _ => StageState.Waiting,
        }));

        var lines = Drawn(Views.Run([.. stages]), 80, height: 10);

        Assert.Equal(8, lines.Length);
        Assert.Equal(["s41", "s42", "s43", "s44"], lines.Take(4).Select(line => line.Split(' ')[1]));
        Assert.Equal("of 90 stages: 47 waiting, 2 running, 40 succeeded, 1 failed", lines[^1]);
    }

    // A console far wider than the drawing: one of its width would itself fold what is too long.
    private static string[] Drawn(RunView run, int width, int height = 50)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = 1000;
        console.Profile.Capabilities.Unicode = true;
        console.Write(TerminalDisplay.Draw(run, width, height));
        return [.. text.ToString().Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0)];
    }

    private sealed class StoppedClock : TimeProvider
    {
        private long now;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => now;

        public void Pass(double seconds) => now += (long)Math.Round(seconds * 1000);
    }
}
