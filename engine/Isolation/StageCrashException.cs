namespace Pipelines.Engine.Isolation;

/// <summary>A stage's process ended without saying how the stage did.</summary>
/// <param name="detail">The last lines of its standard error.</param>
internal sealed class StageCrashException(int exitCode, string detail) : Exception(Describe(exitCode))
{
    private const int Signalled = 128;

    public string Detail => detail;

    /// <summary>A signal is reported as 128 and its number, as a shell does.</summary>
    private static string Describe(int exitCode) => (exitCode - Signalled) switch
    {
        4 => Ended(exitCode, "SIGILL: an instruction that this CPU does not have"),
        6 => Ended(exitCode, "SIGABRT: it gave up, as native code does on an error that it cannot report"),
        7 => Ended(exitCode, "SIGBUS: memory or a mapped file was not there"),
        8 => Ended(exitCode, "SIGFPE: a division by zero in native code"),
        9 => $"the stage's process was killed (SIGKILL, exit code {exitCode}): the machine may have run out of memory",
        11 => Ended(exitCode, "SIGSEGV: native code crashed"),
        > 0 and < 65 and var signal => Ended(exitCode, $"signal {signal}"),
        _ => $"the stage's process ended with exit code {exitCode} and no result",
    };

    private static string Ended(int exitCode, string signal) => $"the stage's process ended with exit code {exitCode} ({signal})";
}

/// <summary>What a stage in a process of its own failed with, as that process described it.</summary>
internal sealed class StageFailedException(StageFailed failure) : Exception(failure.Message)
{
    public string? Detail => failure.Detail;
}
