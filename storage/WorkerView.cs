namespace Pipelines.Storage;

/// <summary>A process that executes stages, for people and programs that look at it.</summary>
/// <param name="Groups">What it takes: <c>cpu</c>, <c>gpu</c>.</param>
/// <param name="Slots">Stages at once.</param>
/// <param name="Silent">Seconds since it was last heard of, in database time.</param>
/// <param name="Alive">Whether it was heard of lately enough.</param>
/// <param name="Stages">What it runs, as <c>run/stage</c>.</param>
public sealed record WorkerView(
    string Id, string Host, int Pid, string[] Groups, int Slots, DateTimeOffset Started, double Silent, bool Alive, string[] Stages);
