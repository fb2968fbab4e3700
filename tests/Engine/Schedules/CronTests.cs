using System.Globalization;
using Pipelines.Engine;
using Pipelines.Engine.Schedules;

namespace Pipelines.Tests.Engine.Schedules;

/// <summary>Next times that were worked out by hand, on a calendar.</summary>
public sealed class CronTests
{
    private const string Berlin = "Europe/Berlin";

    // 2026-11-01 is a Sunday; in Berlin it is winter, an hour ahead of UTC.
    [Theory]
    [InlineData("30 6 * * *", "2026-11-01 05:30", "2026-11-02 05:30", "2026-11-03 05:30")]
    [InlineData("*/15 9 * * *", "2026-11-01 08:00", "2026-11-01 08:15", "2026-11-01 08:30", "2026-11-01 08:45", "2026-11-02 08:00")]
    [InlineData("10-30/10,5 9 * * *", "2026-11-01 08:05", "2026-11-01 08:10", "2026-11-01 08:20", "2026-11-01 08:30", "2026-11-02 08:05")]
    [InlineData("0 2 * * 1-5", "2026-11-02 01:00", "2026-11-03 01:00", "2026-11-04 01:00", "2026-11-05 01:00", "2026-11-06 01:00", "2026-11-09 01:00")]
    [InlineData("0 2 * * MON-FRI", "2026-11-02 01:00", "2026-11-03 01:00")]
    [InlineData("0 12 * * 0", "2026-11-01 11:00", "2026-11-08 11:00")]
    [InlineData("0 12 * * 7", "2026-11-01 11:00", "2026-11-08 11:00")]
    [InlineData("0 12 * * sun", "2026-11-01 11:00", "2026-11-08 11:00")]
    [InlineData("0 12 * * 0,6", "2026-11-01 11:00", "2026-11-07 11:00", "2026-11-08 11:00")]
    [InlineData("0 12 * * 6-7", "2026-11-01 11:00", "2026-11-07 11:00", "2026-11-08 11:00")]
    [InlineData("0 12 * * FRI-SUN", "2026-11-01 11:00", "2026-11-06 11:00", "2026-11-07 11:00", "2026-11-08 11:00")]
    [InlineData("0 12 * * 0-2", "2026-11-01 11:00", "2026-11-02 11:00", "2026-11-03 11:00", "2026-11-08 11:00")]
    [InlineData("0 12 * * */3", "2026-11-01 11:00", "2026-11-04 11:00", "2026-11-07 11:00", "2026-11-08 11:00")]
    [InlineData("0 12 31 * *", "2026-12-31 11:00", "2027-01-31 11:00", "2027-03-31 10:00")]
    [InlineData("0 12 29 FEB *", "2028-02-29 11:00", "2032-02-29 11:00")]
    [InlineData("0 12 1 JAN,jul *", "2027-01-01 11:00", "2027-07-01 10:00")]
    [InlineData("0 12 1 */6 *", "2027-01-01 11:00", "2027-07-01 10:00")]
    // Both days named: the 13th, and every Friday.
    [InlineData("0 12 13 * FRI", "2026-11-06 11:00", "2026-11-13 11:00", "2026-11-20 11:00", "2026-11-27 11:00", "2026-12-04 11:00", "2026-12-11 11:00", "2026-12-13 11:00")]
    [InlineData("0 12 1-7 12 1", "2026-12-01 11:00", "2026-12-02 11:00", "2026-12-03 11:00", "2026-12-04 11:00", "2026-12-05 11:00", "2026-12-06 11:00", "2026-12-07 11:00", "2026-12-14 11:00")]
    public void Gives_the_times_that_cron_gives(string cron, params string[] expected) =>
        Assert.Equal(expected, After("2026-11-01 01:00", expected.Length, cron, Berlin));

    [Theory]
    // The gap of 2027-03-28: 02:00 is followed by 03:00, which is 01:00 UTC.
    [InlineData("30 2 * * *", "2027-03-27 12:00", "2027-03-28 01:00", "2027-03-29 00:30")]
    [InlineData("0,30 2,3 * * *", "2027-03-27 12:00", "2027-03-28 01:00", "2027-03-28 01:30", "2027-03-29 00:00")]
    [InlineData("0 * * * *", "2027-03-27 23:30", "2027-03-28 00:00", "2027-03-28 01:00", "2027-03-28 02:00")]
    // 03:00 is followed by 02:00 again, which is 01:00 UTC.
    [InlineData("30 2 * * *", "2026-10-24 12:00", "2026-10-25 00:30", "2026-10-26 01:30")]
    [InlineData("30 2 * * *", "2027-10-30 12:00", "2027-10-31 00:30", "2027-11-01 01:30")]
    [InlineData("30 2 * * *", "2027-10-31 00:30", "2027-11-01 01:30")]
    [InlineData("30 */2 * * *", "2027-10-30 22:00", "2027-10-30 22:30", "2027-10-31 00:30", "2027-10-31 03:30")]
    // Every hour is asked for, so none of those that pass is left out.
    [InlineData("30 * * * *", "2027-10-31 00:00", "2027-10-31 00:30", "2027-10-31 01:30", "2027-10-31 02:30")]
    public void A_time_that_the_clock_leaves_out_or_repeats_comes_once(string cron, string after, params string[] expected) =>
        Assert.Equal(expected, After(after, expected.Length, cron, Berlin));

    [Theory]
    [InlineData("30 2 * * *")]
    [InlineData("0,30 2,3 * * *")]
    [InlineData("15 */2 * * *")]
    [InlineData("*/20 * * * *")]
    [InlineData("0 12 13 * FRI")]
    public void The_next_time_is_the_same_whenever_it_is_asked_for(string cron)
    {
        var times = Cron.Parse(cron, Berlin);
        foreach (var start in new[] { "2026-10-24 12:00", "2027-03-27 12:00", "2027-10-30 12:00" })
        {
            var expected = times.After(Utc(start))!.Value;
            for (var minute = 0; minute < 24 * 60; minute++)
            {
                var asked = Utc(start).AddMinutes(minute);
                if (asked >= expected)
                    expected = times.After(expected)!.Value;
                Assert.Equal(expected, times.After(asked));
            }
        }
    }

    [Theory]
    [InlineData("0 2 * *", "4 fields, expected 5: minute hour day month weekday")]
    [InlineData("0 0 2 * * *", "6 fields, expected 5: minute hour day month weekday (there are no seconds)")]
    [InlineData("@daily", "1 field, expected 5: minute hour day month weekday")]
    [InlineData("", "0 fields, expected 5")]
    [InlineData("60 2 * * *", "the minute is '60', expected 0 to 59, a list, a range, a step or *")]
    [InlineData("0 24 * * *", "the hour is '24', expected 0 to 23")]
    [InlineData("0 2 0 * *", "the day of the month is '0', expected 1 to 31")]
    [InlineData("0 2 L * *", "the day of the month is 'L'")]
    [InlineData("0 2 ? * 1", "the day of the month is '?'")]
    [InlineData("0 2 * MAI *", "the month is 'MAI', expected 1 to 12 or JAN to DEC")]
    [InlineData("0 2 * * 8", "the weekday is '8', expected 0 to 7 or SUN to SAT")]
    [InlineData("0 2 * * MONDAY", "the weekday is 'MONDAY'")]
    [InlineData("0 22-2 * * *", "the hour is '22-2', expected a range that goes up")]
    [InlineData("0 2,,3 * * *", "the hour is ''")]
    [InlineData("0 -2 * * *", "the hour is '-2'")]
    [InlineData("0 1-2-3 * * *", "the hour is '1-2-3', expected a range with one '-'")]
    [InlineData("*/0 2 * * *", "the minute is '*/0', expected a step from 1 to 59")]
    [InlineData("5/15 2 * * *", "the minute is '5/15', expected a range before the step, as in 5-59/15")]
    [InlineData("0 2 30 2 *", "no such day ever comes")]
    [InlineData("0 2 */2 * MON", "a step over all days (*/2) beside the other day field")]
    public void Says_what_is_wrong_in_which_field(string cron, string said)
    {
        var error = Assert.ThrowsAny<EngineException>(() => Cron.Parse(cron, Berlin));

        Assert.StartsWith($"the cron '{cron}': {said}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Europe/Berln", "there is no time zone 'Europe/Berln' (did you mean 'Europe/Berlin'?): expected an IANA name such as Europe/Berlin or UTC")]
    [InlineData("W. Europe Standard Time", "expected an IANA name")]
    [InlineData("/etc/passwd", "expected an IANA name")]
    [InlineData("", "expected an IANA name")]
    public void Says_which_zone_it_does_not_know(string zone, string said) =>
        Assert.Contains(said, Assert.ThrowsAny<EngineException>(() => Cron.Parse("0 2 * * *", zone)).Message, StringComparison.Ordinal);

    private static string[] After(string start, int count, string cron, string zone)
    {
        var times = Cron.Parse(cron, zone);
        var found = new List<string>();
        for (var time = Utc(start); found.Count < count;)
        {
            time = times.After(time)!.Value;
            found.Add(time.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture));
        }

        return [.. found];
    }

    private static DateTimeOffset Utc(string text) =>
        DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
