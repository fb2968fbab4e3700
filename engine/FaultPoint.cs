using System.Diagnostics;
using System.Globalization;
using Pipelines.Storage;

namespace Pipelines.Engine;

/// <summary>
/// Places where the failure suite has a worker die, or be lied to about a commit. Without PIPELINES_FAULT they do nothing.
/// <list type="bullet">
/// <item><c>die POINT FOLDER</c>: kill -9 at this point, once for each stage or schedule; a file in the folder says that it was.
/// At a checkpoint, a file <c>STAGE.step</c> in it says from which step on.</item>
/// <item><c>die POINT FOLDER each</c>: the same, once for each step of each stage.</item>
/// <item><c>poison STAGE</c>: kill -9 whenever this stage begins.</item>
/// <item><c>crash STAGE [FOLDER]</c>: a fault of native code where this stage begins to compute, with a folder once.</item>
/// <item><c>babble STAGE</c>: this stage, and a program that it starts, write to standard output.</item>
/// <item><c>deaf STAGE</c>: this stage computes for ever, and hears nothing.</item>
/// <item><c>starve STAGE</c>: the process gets no more memory where this stage begins to compute.</item>
/// <item><c>lie SHARE SEED</c>: this share of commits succeeds, and is reported as timed out.</item>
/// </list>
/// </summary>
internal static class FaultPoint
{
    private static readonly string[] Fault = (Environment.GetEnvironmentVariable("PIPELINES_FAULT") ?? "").Split(' ');

    private static readonly Random Dice =
        new(Fault is ["lie", _, var seed] ? int.Parse(seed, CultureInfo.InvariantCulture) : 0);

    /// <summary>Bytes that a process which is to starve may still take.</summary>
    private const long MemoryLeft = 256L << 20;

    public const string Claimed = "claimed";
    public const string ArtifactWritten = "artifact-written";
    public const string StageRecorded = "stage-recorded";
    public const string CheckpointWritten = "checkpoint-written";
    public const string CheckpointRecorded = "checkpoint-recorded";
    public const string ScheduleTaken = "schedule-taken";
    public const string ScheduleNoted = "schedule-noted";
    public const string ScheduleStarted = "schedule-started";
    public const string ScheduleCommitted = "schedule-committed";

    /// <param name="step">Of a checkpoint: the steps that are done.</param>
    public static void Reach(string point, string name, long step = 0)
    {
        if (Fault is ["die", var where, var folder] && where == point && IsDue(Path.Combine(folder, $"{name}.step"), step)
            && First(Path.Combine(folder, name)))
        {
            Die();
        }

        if (Fault is ["die", var each, var marks, "each"] && each == point && First(Path.Combine(marks, $"{name} {step}")))
            Die();
        if (point == Claimed && Fault is ["poison", var poison] && poison == name)
            Die();
    }

    /// <summary>On the thread that is to compute the stage, in whatever process.</summary>
    public static void Compute(string stage)
    {
        if (Fault.Length < 2 || Fault[1] != stage)
            return;
        if (Fault is ["crash", _] || (Fault is ["crash", _, var folder] && First(Path.Combine(folder, stage))))
            LibC.Crash();
        if (Fault[0] == "babble")
            Babble();
        if (Fault[0] == "starve")
            LibC.LimitMemory(MemoryLeft);
        if (Fault[0] == "deaf")
            Thread.CurrentThread.Join();
    }

    /// <exception cref="TimeoutException">The commit is done, but who asked for it is not to know.</exception>
    public static void Committed()
    {
        if (Fault is not ["lie", var share, _])
            return;
        lock (Dice)
        {
            if (Dice.NextDouble() < double.Parse(share, CultureInfo.InvariantCulture))
                throw new TimeoutException("the answer to the commit got lost");
        }
    }

    private static bool IsDue(string file, long step) =>
        !File.Exists(file) || step >= long.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture);

    private static bool First(string marker)
    {
        try
        {
            using (new FileStream(marker, FileMode.CreateNew))
                return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void Babble()
    {
        Console.WriteLine("{ \"say\": \"done\" }");
        using var other = Process.Start("echo", "{ not JSON");
        other.WaitForExit();
    }

    private static void Die()
    {
        using var self = Process.GetCurrentProcess();
        self.Kill();
        self.WaitForExit();
    }
}
