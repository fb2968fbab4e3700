using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Pipelines.Tests.Failures;

/// <summary>A real worker, in a process of its own, that can be done harm to.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private const int Continue = 18;
    private const int Stop = 19;
    private const int Terminate = 15;

    private readonly Process process;
    private readonly List<string> errors = [];
    private readonly List<string> output = [];
    private bool disposed;

    /// <param name="lease">Seconds.</param>
    /// <param name="fault">What the process has happen to it; see FaultPoint. Null for nothing.</param>
    /// <param name="clock">Null for the machine's.</param>
    /// <param name="arguments">A command that works; <c>worker</c> without them.</param>
    /// <param name="environment">In place of what it is given otherwise.</param>
    public WorkerProcess(
        string database, string data, double lease, string? fault, int slots = 1, FakeClock? clock = null, string[]? arguments = null,
        string? token = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(
            Path.Combine(AppContext.BaseDirectory, "pipelines"),
            arguments ?? ["worker", "--slots", slots.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PIPELINES_DATABASE"] = database;
        start.Environment["PIPELINES_DATA"] = data;
        start.Environment["PIPELINES_LEASE"] = lease.ToString(CultureInfo.InvariantCulture);
        start.Environment["PIPELINES_GRACE"] = Laboratory.Grace.ToString(CultureInfo.InvariantCulture);
        start.Environment["PIPELINES_CHECKPOINTS"] = "0";
        start.Environment["PIPELINES_FAULT"] = fault ?? "";
        start.Environment["PIPELINES_LOG"] = "Warning";
        start.Environment["PIPELINES_TOKEN"] = token ?? "";
        foreach (var (name, value) in (clock?.Environment ?? []).Concat(environment ?? new Dictionary<string, string>()))
            start.Environment[name] = value;
        process = Process.Start(start)!;
        Id = process.Id;
        process.ErrorDataReceived += (_, line) => Keep(errors, line.Data);
        process.OutputDataReceived += (_, line) => Keep(output, line.Data);
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    /// <summary>Whether it was ended from outside.</summary>
    public bool Gone { get; private set; }

    public bool Ended => process.HasExited;

    public int? ExitCode => process.HasExited ? process.ExitCode : null;

    public int Id { get; }

    /// <summary>What it said on standard error.</summary>
    public string Errors => Text(errors);

    /// <summary>What it said on standard output.</summary>
    public string Output => Text(output);

    /// <summary>The processes that it has started for stages.</summary>
    public IReadOnlyList<int> StageProcesses() =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(folder => Path.GetFileName(folder))
            .Where(name => int.TryParse(name, out _) && IsStageProcess(name)).Select(int.Parse),
    ];

    /// <summary>Returns when it has said this on standard error.</summary>
    public async Task SaysAsync(string text, CancellationToken cancellation)
    {
        while (!Errors.Contains(text, StringComparison.Ordinal))
        {
            Assert.False(Ended, $"it ended before it said '{text}': {Errors}");
            await Task.Delay(50, cancellation);
        }
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        Gone = true;
        if (!process.HasExited)
            process.Kill();
        process.WaitForExit();
    }

    public void Pause() => Send(Stop);

    public void Resume() => Send(Continue);

    /// <summary>SIGTERM, as a rolling restart does.</summary>
    public Task LeaveAsync(CancellationToken cancellation)
    {
        Send(Terminate);
        return EndsAsync(cancellation);
    }

    /// <summary>Waits until it has ended by itself, as it was told elsewhere.</summary>
    public Task EndsAsync(CancellationToken cancellation)
    {
        Gone = true;
        return process.WaitForExitAsync(cancellation);
    }

    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        Kill();
        process.Dispose();
    }

    private bool IsStageProcess(string process)
    {
        try
        {
            // Behind the program's name in brackets: the state, and the parent.
            return File.ReadAllText($"/proc/{process}/stat").Split(')')[^1].Split(' ')[2] == Id.ToString(CultureInfo.InvariantCulture)
                && File.ReadAllText($"/proc/{process}/cmdline").Contains("stage-process", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // it has ended
        }
    }

    private static void Keep(List<string> lines, string? line)
    {
        if (line is null)
            return;
        lock (lines)
            lines.Add(line);
    }

    private static string Text(List<string> lines)
    {
        lock (lines)
            return string.Join('\n', lines);
    }

    private void Send(int signal) => Assert.Equal(0, Signal(Id, signal));

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int process, int signal);
}
