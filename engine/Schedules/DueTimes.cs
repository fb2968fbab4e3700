using Pipelines.Storage;

namespace Pipelines.Engine.Schedules;

/// <summary>The times of a cron that came since the last decided one, and which of them are to fire.</summary>
/// <param name="Times">In their order.</param>
/// <param name="More">Whether there were more, too many to look at.</param>
internal sealed record DueTimes(IReadOnlyList<DueTime> Times, bool More)
{
    /// <summary>So many times are looked at, the latest ones.</summary>
    public const int Most = 100;

    /// <summary>A time that is older was missed: whoever is up looks once a minute.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);

    /// <param name="last">The last time that was decided.</param>
    /// <param name="now">Up to here and including it.</param>
    public static DueTimes Of(Cron cron, DateTimeOffset last, DateTimeOffset now, MissedPolicy policy)
    {
        // A year of minutes takes less than a tenth of a second.
        var times = new Queue<DateTimeOffset>();
        var more = false;
        for (var next = cron.After(last); next is { } time && time <= now; next = cron.After(time))
        {
            times.Enqueue(time);
            if (times.Count > Most)
                more = times.TryDequeue(out _);
        }

        var latest = times.LastOrDefault();
        return new DueTimes(
            [
                .. times.Select(time => new DueTime(time, Fires: now - time <= Grace || policy switch
                {
                    MissedPolicy.All => true,
                    // A time that was not missed is later than all that were.
                    MissedPolicy.Once => time == latest,
                    _ => false,
                })),
            ],
            more);
    }
}

/// <param name="Fires">False for one that was missed, and is not made up for.</param>
internal sealed record DueTime(DateTimeOffset Time, bool Fires);
