using System.CommandLine;
using System.Runtime.InteropServices;
using Pipelines.Engine;
using Pipelines.Models;
using Pipelines.Storage;
using Pipelines.Workflows;
using Spectre.Console;

namespace Pipelines.Cli;

/// <summary>What every command shares: its exit codes, its errors, and what the keyboard and the system may interrupt.</summary>
internal static class Invocation
{
    public const int Success = 0;
    public const int RunFailed = 1;
    public const int NotRun = 2;
    public const int Interrupted = 130;

    /// <summary>Standard error, for people.</summary>
    public static IAnsiConsole Errors { get; } = Screen(Console.Error, Console.IsErrorRedirected);

    /// <summary>A pipe or a file gets plain text in whole lines: a path or a command that is folded cannot be copied.</summary>
    public static IAnsiConsole Screen(TextWriter writer, bool redirected)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = redirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Out = new AnsiConsoleOutput(writer),
        });
        if (redirected)
            console.Profile.Width = 10_000;
        return console;
    }

    /// <summary>
    /// Runs a command's work. An error that its user can act on becomes one message; anything else is a bug, and shows
    /// where it happened.
    /// </summary>
    /// <param name="work">Its token is cancelled by the first Ctrl-C or SIGTERM.</param>
    public static void SetWork(this Command command, Func<ParseResult, CancellationToken, Task<int>> work) =>
        command.SetAction(async (parsed, _) =>
        {
            using var interruption = new CancellationTokenSource();
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            try
            {
                return await work(parsed, interruption.Token);
            }
            catch (OperationCanceledException) when (interruption.IsCancellationRequested)
            {
                return Interrupted;
            }
            catch (Exception error) when (error is UserException or EngineException or RunLookupException
                or WorkflowFileException or DefinitionException or TokenException or ArtifactException or ModelException)
            {
                Say(error.Message);
                return NotRun;
            }

            void Stop(PosixSignalContext signal)
            {
                signal.Cancel = true;
                if (interruption.IsCancellationRequested)
                    Environment.Exit(Interrupted);
                interruption.Cancel();
            }
        });

    /// <summary>Returns when the user or the system wants the program to stop.</summary>
    public static Task UntilInterruptedAsync(CancellationToken cancellation) =>
        Task.Delay(Timeout.Infinite, cancellation).ContinueWith(_ => { }, TaskScheduler.Default);

    public static void Say(string message) => Errors.MarkupLineInterpolated($"[red]error:[/] {message}");
}
