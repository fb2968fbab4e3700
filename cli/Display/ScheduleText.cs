using System.Globalization;
using Pipelines.Cli.Commands;
using Pipelines.Storage;
using Spectre.Console;

namespace Pipelines.Cli.Display;

/// <summary>How schedules read. Times are those of the schedule's own zone.</summary>
internal static class ScheduleText
{
    public static void Write(IReadOnlyList<ScheduleView> schedules)
    {
        if (schedules.Count == 0)
        {
            Console.WriteLine("no schedules yet: pipelines schedule add NAME --file FILE --cron \"0 2 * * *\"");
            return;
        }

        var table = new Table().Border(TableBorder.None).AddColumns("NAME", "WORKFLOW", "CRON", "ZONE", "MISSED", "OVERLAP", "NEXT");
        foreach (var one in schedules)
        {
            table.AddRow(
                new Text(one.Name), new Text(one.Workflow), new Text(one.Cron), new Text(one.Zone), new Text(Word(one.Missed)),
                new Text(Word(one.Overlap)), new Text(Next(one)));
        }

        AnsiConsole.Write(table);
    }

    public static void WriteNext(ScheduleView schedule) =>
        Console.WriteLine($"{schedule.Name}: {schedule.Workflow}, next {Next(schedule)}");

    /// <summary>Where two of its rules do not go together as one might think.</summary>
    public static void WriteClash(ScheduleView schedule)
    {
        if (schedule is { Missed: MissedPolicy.All, Overlap: not OverlapPolicy.Allow })
        {
            Console.WriteLine(
                $"several missed times come at once, and --overlap {Word(schedule.Overlap)} holds for them too; --overlap allow runs all");
        }
    }

    public static void Write(ScheduleView schedule, IReadOnlyList<DateTimeOffset> next, IReadOnlyList<FireView> history)
    {
        Console.WriteLine($"{schedule.Name}: {schedule.Workflow}, at '{schedule.Cron}' in {schedule.Zone}");
        Console.WriteLine($"  missed: {Word(schedule.Missed)}, overlap: {Word(schedule.Overlap)}");
        foreach (var (parameter, value) in schedule.Parameters)
            Console.WriteLine($"  {parameter} = {value.GetRawText()}");
        if (schedule.PausedAt is not null)
            Console.WriteLine($"  {Next(schedule)}");
        foreach (var time in next)
            Console.WriteLine($"  next {Time(time, schedule.Zone)}");
        if (history.Count == 0)
            return;
        var table = new Table().Border(TableBorder.None).AddColumns("TIME", "WHAT", "RUN", "");
        foreach (var fire in history)
        {
            table.AddRow(
                new Text(Time(fire.Time, schedule.Zone, fire.Triggered)),
                new Text(fire.Triggered ? $"{Word(fire.Outcome)}, triggered" : Word(fire.Outcome)),
                new Text(fire.Run is { } run ? RunName.Short(run) : ""), new Text(About(fire)));
        }

        AnsiConsole.Write(table);
    }

    private static string About(FireView fire) => fire switch
    {
        { Reason: { } reason } => reason,
        { State: RunState.Succeeded, Reused: true } => "succeeded, everything reused",
        { State: { } state } => Word(state),
        _ => "",
    };

    private static string Next(ScheduleView schedule) => schedule switch
    {
        { PausedAt: { } at } => $"paused since {Time(at, schedule.Zone)}{(schedule.PauseReason is { } reason ? $": {reason}" : "")}",
        { Next: { } next } => Time(next, schedule.Zone),
        _ => "never",
    };

    // Times of a cron are whole minutes; several may be triggered in one.
    private static string Time(DateTimeOffset time, string zone, bool seconds = false) =>
        (TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var known) ? TimeZoneInfo.ConvertTime(time, known) : time)
        .ToString(seconds ? "ddd yyyy-MM-dd HH:mm:ss zzz" : "ddd yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture);

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
