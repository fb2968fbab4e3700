using System.Globalization;

namespace Pipelines.Engine.Schedules;

/// <summary>One of the five fields of a cron: which numbers it takes, by what names, and what a text of it means.</summary>
internal sealed class CronField(string name, int least, int most, params string[] names)
{
    private static readonly CronField[] All =
    [
        new("minute", 0, 59),
        new("hour", 0, 23),
        new("day of the month", 1, 31),
        new("month", 1, 12, "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
        new("weekday", 0, 7, "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"),
    ];

    /// <summary>Reads minute, hour, day of the month, month, weekday.</summary>
    /// <exception cref="FormatException">Says which field is wrong, and what was expected in it.</exception>
    public static CronValues[] ReadAll(string cron)
    {
        var texts = cron.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (texts.Length != All.Length)
        {
            throw new FormatException(
                $"{texts.Length} {(texts.Length == 1 ? "field" : "fields")}, expected 5: minute hour day month weekday"
                + (texts.Length == 6 ? " (there are no seconds)" : ""));
        }

        return [.. All.Zip(texts, (field, text) => field.Read(text.ToUpperInvariant()))];
    }

    private CronValues Read(string text)
    {
        var values = new SortedSet<int>();
        var steps = false;
        foreach (var item in text.Split(','))
        {
            var (first, last, step) = Item(item);
            if (item is "*" or "*/1" && text == item)
                return new CronValues([], StepsOverAll: false);
            steps |= item[0] == '*';
            for (var value = first; value <= last; value += step)
                values.Add(value);
        }

        return new CronValues(values, steps);
    }

    private (int First, int Last, int Step) Item(string item)
    {
        var parts = item.Split('/');
        var step = 1;
        if (parts.Length > 2 || (parts.Length == 2 && !(Digits(parts[1], out step) && step >= 1 && step <= most)))
            throw Wrong(item, $"a step from 1 to {most} after one '/', as in */{Math.Min(15, most / 2)}");
        if (parts[0] == "*")
            return (least, name == "weekday" ? 6 : most, step);

        var ends = parts[0].Split('-');
        if (ends.Length > 2)
            throw Wrong(item, "a range with one '-'");
        var first = Value(ends[0], item);
        if (ends.Length == 1 && parts.Length == 2)
            throw Wrong(item, $"a range before the step, as in {ends[0]}-{most}/{step}");
        var last = ends.Length == 1 ? first : Value(ends[1], item);
        // Sunday ends a week as well as it begins one: FRI-SUN.
        if (name == "weekday" && ends.Length == 2 && last == 0 && first > 0)
            last = 7;
        return first <= last ? (first, last, step) : throw Wrong(item, "a range that goes up");
    }

    private int Value(string text, string item)
    {
        var named = Array.IndexOf(names, text);
        if (named >= 0)
            return named + (name == "month" ? 1 : 0);
        return Digits(text, out var value) && value >= least && value <= most ? value : throw Wrong(item, null);
    }

    private CronFieldException Wrong(string item, string? expected) => new(
        Array.IndexOf(All, this),
        $"the {name} is '{item}', expected "
        + (expected ?? $"{least} to {most}{(names is [] ? "" : $" or {names[0]} to {names[^1]}")}, a list, a range, a step or *"));

    private static bool Digits(string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}

/// <param name="Values">None for every value: <c>*</c>.</param>
/// <param name="StepsOverAll">Whether it was written with a step over everything: <c>*/2</c>.</param>
internal sealed record CronValues(SortedSet<int> Values, bool StepsOverAll)
{
    public bool Any => Values.Count == 0;
}
