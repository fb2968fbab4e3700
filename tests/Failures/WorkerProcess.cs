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
    private bool disposed;

    /// <param name="lease">Seconds.</param>
    /// <param name="fault">What the process has happen to it; see FaultPoint. Null for nothing.</param>
    public WorkerProcess(string database, string data, double lease, string? fault)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "pipelines"), ["worker"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PIPELINES_DATABASE"] = database;
        start.Environment["PIPELINES_DATA"] = data;
        start.Environment["PIPELINES_LEASE"] = lease.ToString(CultureInfo.InvariantCulture);
        start.Environment["PIPELINES_CHECKPOINTS"] = "0";
        start.Environment["PIPELINES_FAULT"] = fault ?? "";
        process = Process.Start(start)!;
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.OutputDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    /// <summary>Whether it was ended from outside.</summary>
    public bool Gone { get; private set; }

    public bool Ended => process.HasExited;

    public int? ExitCode => process.HasExited ? process.ExitCode : null;

    public int Id => process.Id;

    /// <summary>What it said on standard error.</summary>
    public string Errors
    {
        get
        {
            lock (errors)
                return string.Join('\n', errors);
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

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (errors)
            errors.Add(line);
    }

    private void Send(int signal) => Assert.Equal(0, Signal(process.Id, signal));

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int process, int signal);
}
