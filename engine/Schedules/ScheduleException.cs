namespace Pipelines.Engine.Schedules;

public enum ScheduleFault
{
    Unknown,
    Taken,
    Invalid,
    NotPaused,
}

/// <summary>What was asked of a schedule and is refused. The message says why.</summary>
public sealed class ScheduleException(ScheduleFault fault, string message) : EngineException(message)
{
    public ScheduleFault Fault => fault;
}

/// <summary>A cron or its zone is wrong.</summary>
/// <param name="place"><c>cron</c> or <c>zone</c>.</param>
/// <param name="part">Which of the cron's five fields, from 0; null when it is not one of them.</param>
public sealed class CronException(string place, int? part, string message, Exception? inner = null) : EngineException(message, inner)
{
    public string Field => place;

    public int? Part => part;
}

/// <summary>A field of a cron that is wrong.</summary>
/// <param name="part">Which of the five, from 0.</param>
internal sealed class CronFieldException(int part, string message) : FormatException(message)
{
    public int Part => part;
}
