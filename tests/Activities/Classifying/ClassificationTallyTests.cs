using Pipelines.Activities.Classifying;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Classifying;

/// <summary>Counted by hand.</summary>
public sealed class ClassificationTallyTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Right_and_nearly_right_answers_are_counted()
    {
        // Seven classes; the right one is first, second, fifth, sixth.
        var ladder = new[] { 7f, 6, 5, 4, 3, 2, 1 };
        var tally = Tally(7, (ladder, 0), (ladder, 1), (ladder, 4), (ladder, 5));

        Assert.Equal(0.25, tally.Top1);
        Assert.Equal(0.75, tally.Top5);
        Assert.Equal([(1, 1, 4), (1, 0, 0), (0, 0, 0), (0, 0, 0), (1, 0, 0), (1, 0, 0), (0, 0, 0)],
            tally.Classes(["a", "b", "c", "d", "e", "f", "g"]).Select(one => ((int)one.Images, (int)one.Right, (int)one.Said)));
    }

    [Fact]
    public void Of_equal_logits_the_first_counts()
    {
        var equal = new float[6];

        var tally = Tally(6, (equal, 0), (equal, 4), (equal, 5));

        Assert.Equal(1.0 / 3, tally.Top1);
        Assert.Equal(2.0 / 3, tally.Top5);
    }

    [Fact]
    public void Five_classes_have_no_top_5() => Assert.Null(Tally(5, (new float[5], 0)).Top5);

    [Fact]
    public void Loss_is_the_mean_cross_entropy()
    {
        var tally = Tally(2, (Odds(3), 1), (Odds(3), 0));

        Assert.Equal((-Math.Log(0.75) - Math.Log(0.25)) / 2, tally.Loss, 6);
    }

    [Fact]
    public void Calibration_error_compares_confidence_and_accuracy_bin_by_bin()
    {
        // Confidence 3/4, in the bin to 12/15, twice, once right: |1 - 1.5|. Confidence 9/10, in the bin to 14/15, once, right:
        // |1 - 0.9|. Of three: (0.5 + 0.1) / 3.
        var tally = Tally(2, (Odds(3), 1), (Odds(3), 0), (Odds(9), 1));

        Assert.Equal(0.2, tally.CalibrationError, 6);
        Assert.Equal(
            [(11, 2, 1, 0.75), (13, 1, 1, 0.9)],
            tally.Confidences.Index().Where(bin => bin.Item.Images > 0)
                .Select(bin => (bin.Index, (int)bin.Item.Images, (int)bin.Item.Right, Math.Round(bin.Item.Confidence!.Value, 6))));
        Assert.Equal(15, tally.Confidences.Count);
        Assert.Null(tally.Confidences[0].Confidence);
    }

    [Fact]
    public void Errors_of_one_bin_weigh_each_other_out_and_those_of_two_do_not()
    {
        // 0.75 and 0.79 lie in one bin, to 0.8; 0.75 and 0.81 do not.
        var together = Tally(2, (Odds(3), 1), (Odds(0.79 / 0.21), 0));
        var apart = Tally(2, (Odds(3), 1), (Odds(0.81 / 0.19), 0));

        Assert.Equal(Math.Abs(1 - 0.75 - 0.79) / 2, together.CalibrationError, 6);
        Assert.Equal((0.25 + 0.81) / 2, apart.CalibrationError, 6);
    }

    [Fact]
    public void What_is_no_number_is_told()
    {
        Assert.False(new ClassificationTally(2).Add(tensor(new[] { 1, float.NaN }).view(1, 2), tensor(new[] { 0L })));
        Assert.True(new ClassificationTally(2).Add(tensor(new[] { 1f, 2 }).view(1, 2), tensor(new[] { 0L })));
    }

    /// <summary>Logits of two classes, the second so many times as likely as the first.</summary>
    private static float[] Odds(double odds) => [0, (float)Math.Log(odds)];

    private static ClassificationTally Tally(int classes, params (float[] Logits, long Label)[] answers)
    {
        var tally = new ClassificationTally(classes);
        foreach (var (logits, label) in answers)
            Assert.True(tally.Add(tensor(logits).view(1, classes), tensor(new[] { label })));
        return tally;
    }
}
