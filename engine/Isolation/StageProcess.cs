using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Engine.Isolation;

/// <summary>A stage in a process of its own, from the worker's side: starts it, talks with it, and kills it if it must.</summary>
internal sealed class StageProcess : IDisposable
{
    private const int KeptLines = 40;

    /// <summary>How long it may take to end after its last word; what it has said stands.</summary>
    private static readonly TimeSpan Leaving = TimeSpan.FromSeconds(10);

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly RunningStage running;
    private readonly StageReporter reporter;
    private readonly ICheckpoints checkpoints;
    private readonly TimeSpan grace;
    private readonly TimeProvider time;
    private readonly Process process;
    private readonly Queue<string> errors = new();
    private volatile TaskCompletionSource<bool> written = new();
    private Task saving = Task.CompletedTask;

    /// <param name="grace">How long it may take to stop before it is killed.</param>
    /// <exception cref="StageException">There is no such program.</exception>
    public StageProcess(
        StageCommand command, RunningStage running, StageReporter reporter, ICheckpoints checkpoints, TimeSpan grace, TimeProvider time)
    {
        (this.running, this.reporter, this.checkpoints, this.grace, this.time) = (running, reporter, checkpoints, grace, time);
        try
        {
            process = Process.Start(new ProcessStartInfo(command.FileName, command.Arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardInputEncoding = Utf8,
                StandardOutputEncoding = Utf8,
            })!;
        }
        catch (Win32Exception error)
        {
            throw new StageException($"no process can be started for the stage: {error.Message}", error);
        }
    }

    /// <returns>What the stage said at its end, null when it did not; and the exit code.</returns>
    public async Task<(FromStage? Answer, int ExitCode)> RunAsync(StageRequest request)
    {
        var reading = ReadErrorsAsync();
        Send(request);
        using var stopping = running.Token.Register(() => Send(new StopStage()));
        var talk = TalkAsync();
        try
        {
            if (await running.EndsAsync(talk, grace, time))
                await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(running.Reason is null ? Leaving : grace, time));
            else
                reporter.Log($"the stage did not stop within {grace.TotalSeconds:0.#} s of being told to: its process was killed");
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            written.TrySetResult(false);
            await saving;
        }

        // Something that the stage started may live on, and hold the other end open.
        await Task.WhenAny(reading, Task.Delay(grace, time));
        foreach (var line in LastLines())
            reporter.Log(line);
        return (await talk, process.ExitCode);
    }

    /// <summary>The end of its standard error.</summary>
    public IReadOnlyList<string> LastLines()
    {
        lock (errors)
            return [.. errors];
    }

    public void Dispose() => process.Dispose();

    private async Task<FromStage?> TalkAsync()
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            switch (Json.Read<FromStage>(line))
            {
                case StageReported(var progress):
                    reporter.Progress(progress);
                    break;
                case StageLogged(var text):
                    reporter.Log(text);
                    break;
                case CheckpointOffered(var steps):
                    written = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                    saving = Task.Factory.StartNew(
                        () => Save(steps), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                    break;
                case CheckpointWritten(var whole):
                    written.TrySetResult(whole);
                    break;
                case { } answer:
                    return answer;
            }
        }

        return null;
    }

    private void Save(long steps)
    {
        try
        {
            checkpoints.Save(steps, folder =>
            {
                Send(new WriteCheckpoint(folder));
                if (!written.Task.GetAwaiter().GetResult())
                    throw new StageException("the stage did not write its checkpoint to the end");
            });
            Send(new CheckpointKept(null));
        }
        catch (Exception error)
        {
            Send(new CheckpointKept(StageFailure.Describe(error).Message));
        }
    }

    private void Send(ToStage message)
    {
        var line = JsonSerializer.Serialize(message, Json.Options);
        try
        {
            lock (process)
            {
                process.StandardInput.WriteLine(line);
                process.StandardInput.Flush();
            }
        }
        catch (IOException)
        {
            // It is gone, and its output ends as well.
        }
    }

    private async Task ReadErrorsAsync()
    {
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            lock (errors)
            {
                errors.Enqueue(line);
                if (errors.Count > KeptLines)
                    errors.Dequeue();
            }
        }
    }
}
