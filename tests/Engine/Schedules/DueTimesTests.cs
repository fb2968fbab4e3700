using System.Globalization;
using Pipelines.Engine.Schedules;
using Pipelines.Storage;

namespace Pipelines.Tests.Engine.Schedules;

public sealed class DueTimesTests
{
    private static readonly string[] Three = ["2026-11-02 01:00", "2026-11-03 01:00", "2026-11-04 01:00"];

    [Theory]
    [InlineData(MissedPolicy.Skip)]
    [InlineData(MissedPolicy.Once, "2026-11-04 01:00")]
    [InlineData(MissedPolicy.All, "2026-11-02 01:00", "2026-11-03 01:00", "2026-11-04 01:00")]
    public void Of_three_missed_times_fire_what_the_policy_says(MissedPolicy policy, params string[] firing)
    {
        var due = Of("0 2 * * *", "2026-11-01 01:00", "2026-11-04 09:00", policy);

        Assert.Equal(Three, due.Times.Select(Text));
        Assert.Equal(firing, due.Times.Where(time => time.Fires).Select(Text));
        Assert.False(due.More);
    }

    [Theory]
    [InlineData(MissedPolicy.Skip, 1)]
    [InlineData(MissedPolicy.Once, 1)]
    [InlineData(MissedPolicy.All, 3)]
    public void A_time_that_has_just_come_was_not_missed(MissedPolicy policy, int firing)
    {
        var due = Of("0 2 * * *", "2026-11-01 01:00", "2026-11-04 01:01", policy);

        Assert.Equal(firing, due.Times.Count(time => time.Fires));
        Assert.True(due.Times[^1].Fires);
    }

    [Fact]
    public void Two_times_that_have_just_come_both_fire() =>
        Assert.Equal([true, true], Of("* * * * *", "2026-11-01 01:00", "2026-11-01 01:02", MissedPolicy.Skip).Times.Select(time => time.Fires));

    [Theory]
    [InlineData("2026-11-02 01:00:00", 1)]
    [InlineData("2026-11-02 01:00:00.000001", 1)]
    [InlineData("2026-11-02 01:00:00.999", 1)]
    [InlineData("2026-11-02 00:59:59.999999", 0)]
    public void A_time_is_due_when_it_comes_and_not_before(string now, int due) =>
        Assert.Equal(due, Of("0 2 * * *", "2026-11-01 01:00", now, MissedPolicy.All).Times.Count);

    [Fact]
    public void What_was_decided_is_not_due_again() =>
        Assert.Empty(Of("0 2 * * *", "2026-11-02 01:00", "2026-11-02 01:00:30", MissedPolicy.All).Times);

    [Fact]
    public void Of_a_year_of_minutes_the_last_hundred_are_looked_at()
    {
        var due = Of("* * * * *", "2025-11-01 00:00", "2026-11-01 00:00:10", MissedPolicy.All);

        Assert.True(due.More);
        Assert.Equal(100, due.Times.Count);
        Assert.Equal(("2026-10-31 22:21", "2026-11-01 00:00"), (Text(due.Times[0]), Text(due.Times[^1])));
    }

    [Theory]
    // The night that has no 02:30, and those that have two.
    [InlineData("2027-03-27 12:00", "2027-03-28 12:00", "2027-03-28 01:00")]
    [InlineData("2026-10-24 12:00", "2026-10-25 12:00", "2026-10-25 00:30")]
    [InlineData("2027-10-30 12:00", "2027-10-31 12:00", "2027-10-31 00:30")]
    public void A_night_of_the_clock_change_has_one_time(string last, string now, string expected) =>
        Assert.Equal([expected], Of("30 2 * * *", last, now, MissedPolicy.All).Times.Select(Text));

    private static DueTimes Of(string cron, string last, string now, MissedPolicy policy) =>
        DueTimes.Of(Cron.Parse(cron, "Europe/Berlin"), Utc(last), Utc(now), policy);

    private static string Text(DueTime due) => due.Time.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private static DateTimeOffset Utc(string text) =>
        DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
