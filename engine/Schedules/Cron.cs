using Pipelines.Workflows;
using Quartz;

namespace Pipelines.Engine.Schedules;

/// <summary>
/// The times of a five-field cron in a zone. Its clock decides: a time that the change to summer time leaves out comes at
/// the end of the gap, once; one that the change back repeats comes the first time, unless every hour is asked for.
/// </summary>
internal sealed class Cron
{
    private readonly CronExpression times;
    private readonly bool everyHour;

    private Cron(CronValues[] fields, TimeZoneInfo zone)
    {
        times = new CronExpression(Quartz(fields), zone);
        everyHour = fields[1].Any;
    }

    /// <exception cref="CronException">
    /// Says what is wrong in which field, or that the zone is unknown, or that no time comes.
    /// </exception>
    public static Cron Parse(string text, string zone)
    {
        try
        {
            var cron = new Cron(CronField.ReadAll(text), Zone(zone));
            if (cron.After(DateTimeOffset.UnixEpoch) is null)
                throw new FormatException("no such day ever comes");
            return cron;
        }
        catch (FormatException error)
        {
            throw new CronException("cron", (error as CronFieldException)?.Part, $"the cron '{text}': {error.Message}", error);
        }
    }

    /// <summary>The first time after this one, in UTC; null when none comes.</summary>
    public DateTimeOffset? After(DateTimeOffset time)
    {
        var next = times.GetNextValidTimeAfter(time);
        // Asked from within the repeated hour, Quartz does give what came before it.
        while (!everyHour && next is { } found && IsRepeated(found))
            next = times.GetNextValidTimeAfter(found);
        return next?.ToUniversalTime();
    }

    private bool IsRepeated(DateTimeOffset time)
    {
        var local = TimeZoneInfo.ConvertTime(time, times.TimeZone);
        return times.TimeZone.IsAmbiguousTime(local)
            && local.Offset < times.TimeZone.GetAmbiguousTimeOffsets(local).Max();
    }

    /// <summary>
    /// Quartz's dialect: seconds first, weekdays from 1 for Sunday, <c>?</c> for a day field that asks for nothing.
    /// </summary>
    internal static string Quartz(CronValues[] fields)
    {
        var (days, weekdays) = (fields[2], fields[4]);
        // Some crons take this for both, others for either; nobody who writes it knows which.
        if (!days.Any && !weekdays.Any && (days.StepsOverAll || weekdays.StepsOverAll))
        {
            throw new FormatException(
                "a step over all days (*/2) beside the other day field, which crons read differently: "
                + "expected * in one of the two, or a range (1-31/2), which is read as either");
        }

        var day = days.Any ? weekdays.Any ? "*" : "?" : List(days.Values);
        var weekday = weekdays.Any ? "?" : List(weekdays.Values.Select(value => (value % 7) + 1).Distinct().Order());
        return $"0 {Text(fields[0])} {Text(fields[1])} {day} {Text(fields[3])} {weekday}";
    }

    private static string Text(CronValues field) => field.Any ? "*" : List(field.Values);

    private static string List(IEnumerable<int> values) => string.Join(',', values);

    private static TimeZoneInfo Zone(string name)
    {
        if (TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone))
            return zone;
        var known = TimeZoneInfo.GetSystemTimeZones().Select(one => one.Id).ToArray();
        if (known.Length <= 1)
            throw new CronException("zone", null, "this machine has no time zones: install tzdata");
        var hint = Suggestion.For(name, known);
        // A list of what there is would begin with all of Africa.
        throw new CronException(
            "zone", null,
            $"there is no time zone '{name}'"
            + (hint.Contains("did you mean", StringComparison.Ordinal) ? hint : "")
            + ": expected an IANA name such as Europe/Berlin or UTC");
    }
}
