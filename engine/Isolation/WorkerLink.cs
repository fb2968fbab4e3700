using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine.Isolation;

/// <summary>
/// A stage's process's end of the conversation with its worker. It takes standard input and output over: what the stage,
/// or a library below it, prints goes to standard error. The end of the input is the end of the worker, and of the
/// process: no orphan computes for nobody.
/// </summary>
internal sealed class WorkerLink : IDisposable
{
    private readonly StreamReader input;
    private readonly StreamWriter output;
    private readonly CancellationTokenSource stop = new();
    private readonly BlockingCollection<ToStage> answers = [];

    private WorkerLink(StreamReader input, StreamWriter output) => (this.input, this.output) = (input, output);

    /// <summary>Cancelled when the worker says so.</summary>
    public CancellationToken Stop => stop.Token;

    public static WorkerLink Open()
    {
        var input = new FileStream(StandardStreams.TakeInput(), FileAccess.Read);
        var output = new FileStream(StandardStreams.TakeOutput(), FileAccess.Write, bufferSize: 0);
        Console.SetOut(Console.Error);
        return new WorkerLink(new StreamReader(input), new StreamWriter(output) { AutoFlush = true });
    }

    /// <summary>The first line; from then on a thread listens.</summary>
    /// <exception cref="EngineException">It is not a worker that speaks.</exception>
    public StageRequest Begin()
    {
        try
        {
            if (input.ReadLine() is { } line && Json.Read<ToStage>(line) is StageRequest request)
            {
                new Thread(Listen) { IsBackground = true, Name = "worker" }.Start();
                return request;
            }
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw new EngineException("a worker starts this command, for a stage: expected its request on standard input");
    }

    public void Send(FromStage message)
    {
        var line = JsonSerializer.Serialize(message, Json.Options);
        try
        {
            lock (output)
                output.WriteLine(line);
        }
        catch (IOException)
        {
            Die(); // nobody listens any more
        }
    }

    /// <summary>Waits for what the worker says to the last message.</summary>
    public ToStage Answer() => answers.Take();

    // The rest is left to the thread that listens until the process ends.
    public void Dispose() => output.Dispose();

    private void Listen()
    {
        try
        {
            while (input.ReadLine() is { } line)
            {
                if (Json.Read<ToStage>(line) is var message and not StopStage)
                    answers.Add(message);
                else
                    _ = stop.CancelAsync();
            }
        }
        catch (IOException)
        {
            // As good as the end.
        }

        Die();
    }

    /// <summary>At once: whatever the stage does at the moment may never come to an end.</summary>
    private static void Die()
    {
        using var self = Process.GetCurrentProcess();
        self.Kill();
        self.WaitForExit();
    }
}
