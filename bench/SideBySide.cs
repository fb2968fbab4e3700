using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Bench;

/// <summary>The same work done by two programs, one process each, in turn, with nothing else running.</summary>
public static class SideBySide
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(10);

    /// <summary>Medians of as many rounds.</summary>
    /// <exception cref="UnavailableException">A side cannot run.</exception>
    public static Compared Compare(string method, int rounds, Action<string> say, Func<Measured> ours, Func<Measured> theirs)
    {
        var (mine, others) = (new List<Measured>(), new List<Measured>());
        for (var round = 0; round < rounds; round++)
        {
            say($"{method}, round {round + 1} of {rounds}");
            mine.Add(ours());
            others.Add(theirs());
        }

        return new Compared(method, Median(mine), Median(others));
    }

    /// <summary>Work of this process.</summary>
    /// <param name="items">What its speed is counted in: tokens, images.</param>
    public static Measured Time(long items, Func<double> work)
    {
        var worked = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        var result = work();
        var seconds = clock.Elapsed.TotalSeconds;
        return new Measured(
            seconds, (Environment.CpuUsage.TotalTime - worked).TotalSeconds, items / seconds,
            Megabytes(Environment.ProcessId, "VmHWM:")!.Value, 0, result);
    }

    /// <summary>Work of another process, which prints <see cref="Measured.Line"/> last.</summary>
    public static Measured Measure(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };

        // Ours limits how long idle OpenMP threads spin. Python gets the same, or what else runs here would decide.
        start.Environment.TryAdd("GOMP_SPINCOUNT", "2000");

        // As the script ./pipelines has it; for both again.
        start.Environment.TryAdd("MALLOC_ARENA_MAX", "1");
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        var anonymous = 0.0;
        while (!process.WaitForExit(BetweenLooks))
            anonymous = Math.Max(anonymous, Megabytes(process.Id, "RssAnon:") ?? 0);
        if (process.ExitCode != 0)
            throw new UnavailableException($"{program} {arguments[0]}: {errors.Result.Trim()}");
        return Measured.Parse(output.Result.Trim().Split('\n')[^1], anonymous);
    }

    private static Measured Median(List<Measured> all) => all.OrderBy(one => one.Seconds).ElementAt(all.Count / 2);

    /// <summary>A line of a process's status, as the kernel counts it; null where the process is gone.</summary>
    private static double? Megabytes(int process, string name)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(status => status.StartsWith(name, StringComparison.Ordinal));
            return line is null ? null : double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], null) / 1024;
        }
        catch (IOException)
        {
            return null;
        }
    }
}

/// <summary>Thrown when a side cannot run; the message says what to install.</summary>
public sealed class UnavailableException(string message) : Exception(message);

/// <param name="CpuSeconds">Of all threads, with the kernel's: what others on the machine change least.</param>
/// <param name="TokensPerSecond">Of the calibration or training set, each token once.</param>
/// <param name="PeakMb">Resident memory of the whole process at its highest, MiB.</param>
/// <param name="AnonymousMb">
/// Likewise, without mapped files: what the kernel cannot drop and read again. Looked at every 10 ms from outside.
/// </param>
/// <param name="Result">What both sides must agree on: a sum of logits, the last loss, where the zeros are, how much is kept.</param>
public sealed record Measured(
    double Seconds, double CpuSeconds, double TokensPerSecond, double PeakMb, double AnonymousMb, double Result)
{
    /// <summary>What one side prints, on one line.</summary>
    public string Line() => JsonSerializer.Serialize(new
    {
        seconds = Seconds,
        cpu_seconds = CpuSeconds,
        tokens_per_second = TokensPerSecond,
        peak_mb = PeakMb,
        result = Result,
    });

    /// <param name="line">Of either side.</param>
    /// <exception cref="FormatException">A figure is missing.</exception>
    public static Measured Parse(string line, double anonymousMb)
    {
        var json = JsonNode.Parse(line)!;
        return new Measured(
            Number("seconds"), Number("cpu_seconds"), Number("tokens_per_second"), Number("peak_mb"), anonymousMb, Number("result"));

        double Number(string name) => json[name]?.GetValue<double>() ?? throw new FormatException($"'{line}' has no {name}");
    }
}
