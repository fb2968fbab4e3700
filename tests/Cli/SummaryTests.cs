using System.Text.Json;
using System.Text.RegularExpressions;
using Pipelines.Activities;
using Pipelines.Activities.Classifying;
using Pipelines.Cli.Display;
using Pipelines.Storage;
using Pipelines.Workflows;
using Spectre.Console;

namespace Pipelines.Tests.Cli;

/// <summary>What a run's end looks like in a terminal, on numbers made up.</summary>
public sealed partial class SummaryTests
{
    private static readonly ModelFigures Figures = new(null, 1000, 900, 4000, Accuracy: 0.9);

    private static readonly SpeedComparison Decoding = new(
        "speed-1", "cpu", 4, null, new SpeedPair(new Spread(100, 90, 110), new Spread(200, 190, 210), new Spread(2, 1.9, 2.1)));

    [Fact]
    public void Two_classifiers_that_were_timed_stand_side_by_side()
    {
        var pair = new SpeedPair(new Spread(1234.7, 1000, 1300), new Spread(2500, 2400, 2600), new Spread(2.03, 1.9, 2.2));
        var speed = new SpeedComparison("latency-1", "cpu", 4, null, null, pair, new Latency(new Spread(0.0259, 0.02, 0.03), new Spread(0.0128, 0.01, 0.02)));

        var lines = Written("speed", speed);

        Assert.Contains("images/s 1,235 2,500 ×2.03 ×1.90 to ×2.20", lines);
        Assert.Contains("ms for a batch 25.90 12.80", lines);
        Assert.DoesNotContain(lines, line => line.Contains("prefill", StringComparison.Ordinal));
    }

    [Fact]
    public void A_ranking_has_the_speeds_that_its_models_have()
    {
        var ratio = new Spread(1.5, 1.4, 1.6);
        var none = new Dictionary<string, JsonElement>();

        var images = Written("ranking", new Ranking(
            "p", SizeMeasure.Nonzero, [new RankedModel(1, "m", none, true, Figures, new RankedSpeed(null, null, true, ratio)), new RankedModel(2, "n", none, false, Figures)],
            new RankedBySpeed("i", SpeedMeasure.Images)));
        var tokens = Written("ranking", new Ranking(
            "p", SizeMeasure.Nonzero, [new RankedModel(1, "m", none, false, Figures, new RankedSpeed(new Spread(2, 1, 3), ratio, true))], new RankedBySpeed("s", SpeedMeasure.Decode)));

        Assert.Contains("model accuracy parameters non-zero size images", images);
        Assert.Contains("1 m 0.9000 1,000 900 3.9 KiB ×1.50 ◆ size, speed", images);
        Assert.Contains("2 n 0.9000 1,000 900 3.9 KiB", images);
        Assert.Contains("1 m 0.9000 1,000 900 3.9 KiB ×1.50 ×2.00 ◆ speed", tokens);
    }

    [Fact]
    public void A_classifier_is_shown_class_by_class()
    {
        var lines = Written("scores", new ClassificationScores(
            "accuracy-1", 1200, 0.75, null, 0.5, 0.0312, "macs-1", 1e6, [new ClassScore("[cat]", 1000, 800, 900), new ClassScore("dog", 0, 0, 300)]));

        Assert.Contains("1,200 images: 75.0 % recognised; calibration error 3.1 %", lines);
        Assert.Contains("[cat] 1,000 80.0 % 900", lines);
        Assert.Contains("dog 0 – 300", lines);
    }

    [Fact]
    public void Of_many_classes_the_worst_are_shown()
    {
        var lines = Written("scores", new ClassificationScores(
            "accuracy-1", 1000, 0.5, 0.9, 0.5, 0.03, "macs-1", 1e6, [.. Enumerable.Range(0, 100).Select(i => new ClassScore($"c{i}", 100, 100 - i, 100))]));

        Assert.Contains("1,000 images: 50.0 % recognised, 90.0 % among five; calibration error 3.0 %", lines);
        Assert.Contains("c99 100 1.0 % 100", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("c79 ", StringComparison.Ordinal));
        Assert.Contains("of 100 classes the 20 that are recognised least; all are among the run's outputs", lines);
    }

    [Fact]
    public void What_no_report_gathers_is_shown_stage_by_stage()
    {
        var run = Views.Run(
            RunState.Succeeded,
            Found("dense", "measurement", new Measurement("perplexity-1:a", 21.738, 1000, 900, 4000)),
            Found("pruned", "measurement", new Measurement("perplexity-1:a", 24.9, 1000, 500, 4000)),
            Found("heart", "memorization", new MemorizationMeasurement("memorization-1", 50, 0.02, 0.1, null, 1000, 900, 4000)),
            Found("sweep.1.speed", "speed", Decoding));

        var lines = Written(run);

        Assert.Contains("perplexity parameters nonzero bytes", lines);
        Assert.Contains("dense 21.738 1,000 900 3.9 KiB", lines);
        Assert.Contains("pruned 24.900 1,000 500 3.9 KiB", lines);
        Assert.Contains("perplexity-1:a", lines);
        Assert.Contains("heart 50 0.0200 0.1000 1,000 900 3.9 KiB", lines);
        Assert.Contains("sweep.1.speed 4 ×2.00 (×1.90 to ×2.10)", lines);
    }

    [Fact]
    public void What_a_report_gathers_or_the_outcome_shows_is_not_shown_again()
    {
        var measurement = new Measurement("p", 21.738, 1000, 900, 4000);
        var (dense, pruned) = (new ModelFigures(21.738, 1000, 900, 4000), new ModelFigures(24.9, 1000, 500, 4000));
        var reported = Views.Run(RunState.Succeeded, Found("measure", "measurement", measurement));
        var timed = Views.Run(RunState.Succeeded, Found("time", "speed", Decoding));

        Assert.DoesNotContain(Written(Saying(reported, new Comparison("p", dense, pruned, null))), line => line.StartsWith("measure 21", StringComparison.Ordinal));
        Assert.DoesNotContain(Written(Saying(timed, Decoding)), line => line.StartsWith("time ", StringComparison.Ordinal) && line.Contains('×'));
        Assert.Contains(Written(Saying(reported, measurement)), line => line.StartsWith("measure 21.738", StringComparison.Ordinal));
    }

    [Fact]
    public void An_output_of_another_shape_is_passed_over()
    {
        var run = Views.Run(
            RunState.Succeeded,
            Found("odd", "odd", Json.Read<JsonElement>("""{ "protocol": "odd-1", "share": 0.5, "nested": { "ratio": 0.25 }, "standardError": 0.01 }""")),
            Found("number", "loss", 2.5), Found("unnamed", "odd", Json.Read<JsonElement>("""{ "share": 0.75 }""")));

        var lines = Written(run);

        Assert.Contains("share standard error", lines);
        Assert.Contains("odd 0.5000 0.0100", lines);
        Assert.DoesNotContain(lines, line => line.Contains("0.75", StringComparison.Ordinal) || line.Contains("2.5", StringComparison.Ordinal));
    }

    private static StageView Found<T>(string id, string port, T value) =>
        Views.Stage(id, StageState.Succeeded) with { Outputs = Json.Write(new Dictionary<string, T> { [port] = value }) };

    private static RunView Saying<T>(RunView run, T value) =>
        run with { Outputs = new Dictionary<string, JsonElement> { ["said"] = Json.Write(value) } };

    private static string[] Written<T>(string output, T value) =>
        Written(Views.Run(RunState.Succeeded) with { Outputs = new Dictionary<string, JsonElement> { [output] = Json.Write(value) } });

    /// <summary>The lines, each run of spaces as one.</summary>
    private static string[] Written(RunView run)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 200;
        console.Profile.Capabilities.Unicode = true;
        Summary.Write(console, run);
        return [.. text.ToString().Split('\n').Select(line => Spaces().Replace(line, " ").Trim())];
    }

    [GeneratedRegex(@"[\s│|]+")]
    private static partial Regex Spaces();
}
