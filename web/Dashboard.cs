using System.Globalization;
using Pipelines.Storage;

namespace Pipelines.Web;

/// <summary>Whether anything is wrong: the worst severity, and a sentence about each thing.</summary>
internal sealed record Dashboard(
    Severity Severity, IReadOnlyList<DashboardItem> Items, RunCounts Runs, StageCounts Stages, DiskRoom Disk)
{
    private const long Gigabyte = 1_000_000_000;

    // So long a stage may be ready while every slot is taken before somebody ought to look.
    private static readonly TimeSpan LongWait = TimeSpan.FromMinutes(30);

    public static Dashboard Of(Overview overview, DiskRoom disk)
    {
        var unserved = overview.Ready.Where(group => !overview.Served.Contains(group.Group)).ToArray();
        List<DashboardItem> items =
        [
            OfRuns(overview), .. OfStages(overview, unserved), .. OfSchedules(overview.Schedules), .. OfWorkers(overview.Workers), OfDisk(disk),
        ];
        var stages = new StageCounts(
            overview.Ready.Sum(group => group.Count), overview.RunningStages, unserved.Sum(group => group.Count),
            overview.Ready.Count > 0 ? overview.Ready.Max(group => group.OldestSeconds) : null);
        return new Dashboard(items.Max(item => item.Severity), items, overview.Runs, stages, disk);
    }

    private static DashboardItem OfRuns(Overview overview) => overview is { Runs.Failed: > 0 and var failed, LastFailed: { } last }
        ? new DashboardItem("runs", Severity.Error, $"{Count(failed, "run")} failed in the last day, the last one of {last.Name}", $"#/runs/{last.Id}")
        : new DashboardItem("runs", Severity.Ok, $"no run failed in the last day, {overview.Runs.Running} run now", "#/runs");

    private static IEnumerable<DashboardItem> OfStages(Overview overview, ReadyStages[] unserved)
    {
        foreach (var group in unserved)
        {
            yield return new DashboardItem(
                "stages", Severity.Error, $"{Count(group.Count, "stage")} wait for a worker that serves {group.Group}, and none is alive", $"#/runs/{group.Run}");
        }

        var slow = overview.Ready.Except(unserved).Where(group => group.OldestSeconds > LongWait.TotalSeconds).ToArray();
        foreach (var group in slow)
        {
            yield return new DashboardItem(
                "stages", Severity.Warning, $"a stage has waited {Span(group.OldestSeconds)} for a free slot of {group.Group}", $"#/runs/{group.Run}");
        }

        if (unserved.Length == 0 && slow.Length == 0)
            yield return new DashboardItem("stages", Severity.Ok, "no stage waits for a worker that is missing", "#/workers");
    }

    private static List<DashboardItem> OfSchedules(IReadOnlyList<ScheduleCounts> schedules)
    {
        var items = new List<DashboardItem>();
        foreach (var schedule in schedules)
        {
            var link = $"#/schedules/{schedule.Name}";
            if (schedule.Failed > 0)
                items.Add(new DashboardItem("schedules", Severity.Error, $"schedule {schedule.Name} could start nothing {Times(schedule.Failed)} in the last day", link));
            if (schedule.Skipped > 0)
                items.Add(new DashboardItem("schedules", Severity.Warning, $"schedule {schedule.Name} left out {Count(schedule.Skipped, "time")} in the last day", link));
            if (schedule.Paused)
                items.Add(new DashboardItem("schedules", Severity.Warning, $"schedule {schedule.Name} is paused{(schedule.PauseReason is { } reason ? $": {reason}" : "")}", link));
        }

        if (items.Count == 0)
            items.Add(new DashboardItem("schedules", Severity.Ok, $"{Count(schedules.Count, "schedule")}, none missed, skipped or paused", "#/schedules"));
        return items;
    }

    private static List<DashboardItem> OfWorkers(IReadOnlyList<WorkerView> workers)
    {
        var items = workers.Where(worker => worker.State == WorkerState.Dead).Select(worker => new DashboardItem(
            "workers", Severity.Warning, $"worker {worker.Id} was last heard of {Span(worker.Silent)} ago; others take what it ran", "#/workers")).ToList();
        var alive = workers.Count - items.Count;
        if (alive == 0)
            items.Add(new DashboardItem("workers", Severity.Warning, "no worker is alive: nothing is computed", "#/workers"));
        else if (items.Count == 0)
            items.Add(new DashboardItem("workers", Severity.Ok, $"{Count(alive, "worker")} alive", "#/workers"));
        return items;
    }

    private static DashboardItem OfDisk(DiskRoom disk)
    {
        var severity = disk switch
        {
            { Free: < Gigabyte } => Severity.Error,
            { Free: < 10 * Gigabyte } when disk.Free < disk.Total / 10 => Severity.Warning,
            _ => Severity.Ok,
        };
        return new DashboardItem("disk", severity, string.Create(
            CultureInfo.InvariantCulture, $"{disk.Free / (double)Gigabyte:0.#} GB of {disk.Total / (double)Gigabyte:0.#} are free where artifacts are kept"));
    }

    private static string Count(int count, string thing) => $"{count} {thing}{(count == 1 ? "" : "s")}";

    private static string Times(int count) => count == 1 ? "once" : $"{count} times";

    private static string Span(double seconds) => seconds switch
    {
        < 120 => $"{seconds:0} s",
        < 7200 => $"{seconds / 60:0} min",
        _ => $"{seconds / 3600:0} h",
    };
}

internal enum Severity
{
    Ok,
    Warning,
    Error,
}

/// <param name="About"><c>runs</c>, <c>stages</c>, <c>schedules</c>, <c>workers</c> or <c>disk</c>.</param>
/// <param name="Link">Where the page shows it.</param>
internal sealed record DashboardItem(string About, Severity Severity, string Text, string? Link = null);

/// <param name="WaitingForNoWorker">Ready ones that no living worker serves.</param>
internal sealed record StageCounts(int Ready, int Running, int WaitingForNoWorker, double? OldestReadySeconds);

/// <summary>Bytes where the data folder is.</summary>
internal sealed record DiskRoom(long Free, long Total);
