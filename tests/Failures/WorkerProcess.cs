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
    /// <param name="arguments">A command that works; <c>worker</c> without them.</param>
    public WorkerProcess(string database, string data, double lease, string? fault, string[]? arguments = null, string? token = null)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "pipelines"), arguments ?? ["worker"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PIPELINES_DATABASE"] = database;
        start.Environment["PIPELINES_DATA"] = data;
        start.Environment["PIPELINES_LEASE"] = lease.ToString(CultureInfo.InvariantCulture);
        start.Environment["PIPELINES_CHECKPOINTS"] = "0";
        start.Environment["PIPELINES_FAULT"] = fault ?? "";
        start.Environment["PIPELINES_TOKEN"] = token ?? "";
        process = Process.Start(start)!;
        process.ErrorDataReceived += (_, line) => Keep(errors, line.Data);
        process.OutputDataReceived += (_, line) => Keep(output, line.Data);
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    /// <summary>Whether it was ended from outside.</summary>
    public bool Gone { get; private set; }

    public bool Ended => process.HasExited;

    public int? ExitCode => process.HasExited ? process.ExitCode : null;

    public int Id => process.Id;

    /// <summary>What it said on standard error.</summary>
    public string Errors => Text(errors);

    /// <summary>What it said on standard output.</summary>
    public string Output => Text(output);

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
        Gone = true;
        Send(Terminate);
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

    private void Send(int signal) => Assert.Equal(0, Signal(process.Id, signal));

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int process, int signal);
}
