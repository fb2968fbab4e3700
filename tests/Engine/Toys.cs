using System.Collections.Concurrent;
using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Tests.Engine;

/// <summary>Stages that need no model: numbers, failures, doors and a file.</summary>
internal static class Toys
{
    public static Catalog Catalog() => new Catalog()
        .Add(new Number()).Add(new Add()).Add(new FailTimes()).Add(new Door()).Add(new WriteFile()).Add(new Chatter())
        .Add(new WhoAmI()).Add(new Large());

    public static StageDefinition Stage(
        string id, string kind, object? parameters = null, Dictionary<string, string>? inputs = null, int attempts = 1,
        int gpu = 0) =>
        new(id, kind, parameters is null ? null : JsonSerializer.SerializeToElement(parameters), inputs,
            gpu > 0 ? new ResourceDefinition(gpu) : null, new RetryDefinition(attempts));

    public static StageDefinition Number(string id, double value) => Stage(id, "toy.number", new { value });

    public static StageDefinition Add(string id, string a, string b) => Stage(
        id, "toy.add", null, new() { ["a"] = $"{a}.value", ["b"] = $"{b}.value" });

    public static Plan Plan(params StageDefinition[] stages) => PlanFor(null, stages);

    public static Plan PlanFor(Dictionary<string, string>? outputs, params StageDefinition[] stages)
    {
        var definition = new WorkflowDefinition("toy", stages, Outputs: outputs);
        var fine = Pipelines.Workflows.Plan.TryCreate(
            definition, Catalog(), new Dictionary<string, JsonElement>(), out var plan, out var errors);
        Assert.True(fine, string.Join("\n", errors));
        return plan;
    }
}

internal sealed class Number : Activity<None, Number.Parameters, Number.Outputs>
{
    public sealed record Parameters(double Value = 0);

    public sealed record Outputs(double Value);

    public override string Kind => "toy.number";

    public override Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation) =>
        Task.FromResult(new Outputs(parameters.Value));
}

internal sealed class Add : Activity<Add.Inputs, None, Add.Outputs>
{
    public sealed record Inputs(double A, double B);

    public sealed record Outputs(double Value);

    public override string Kind => "toy.add";

    public override Task<Outputs> RunAsync(
        Inputs inputs, None parameters, StageContext stage, CancellationToken cancellation) =>
        Task.FromResult(new Outputs(inputs.A + inputs.B));
}

/// <summary>Fails as often as its counter says, then passes its input on. <see cref="Computed"/> counts every run.</summary>
internal sealed class FailTimes : Activity<FailTimes.Inputs, FailTimes.Parameters, FailTimes.Outputs>
{
    public static readonly ConcurrentDictionary<string, int> Left = new();
    public static readonly ConcurrentDictionary<string, int> Computed = new();

    public sealed record Inputs(double? Value);

    public sealed record Parameters(string Counter, bool Crash = false);

    public sealed record Outputs(double Value);

    public override string Kind => "toy.fail-times";

    public override Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        Computed.AddOrUpdate(parameters.Counter, 1, (_, count) => count + 1);
        var left = Left.AddOrUpdate(parameters.Counter, -1, (_, count) => count - 1);
        if (left < 0)
            return Task.FromResult(new Outputs(inputs.Value ?? 0));
        throw parameters.Crash
            ? new InvalidOperationException("a bug")
            : new StageException($"the counter is at {left}");
    }
}

/// <summary>Says that it has begun, and ends when its door is opened or it is cancelled.</summary>
internal sealed class Door : Activity<None, Door.Parameters, Door.Outputs>
{
    private static readonly ConcurrentDictionary<string, Door> Doors = new();
    private readonly SemaphoreSlim begun = new(0);
    private readonly TaskCompletionSource open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public sealed record Parameters(string Name);

    public sealed record Outputs(double Value);

    public override string Kind => "toy.door";

    public static Door Named(string name) => Doors.GetOrAdd(name, _ => new Door());

    public Task BegunAsync() => begun.WaitAsync(TestContext.Current.CancellationToken);

    public void Open() => open.TrySetResult();

    public override async Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var door = Named(parameters.Name);
        door.begun.Release();
        await door.open.Task.WaitAsync(cancellation);
        return new Outputs(1);
    }
}

internal sealed class WriteFile : Activity<None, WriteFile.Parameters, WriteFile.Outputs>
{
    public static readonly ConcurrentDictionary<string, int> Computed = new();

    public sealed record Parameters(string Text);

    public sealed record Outputs(string File);

    public override string Kind => "toy.write-file";

    public override async Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        Computed.AddOrUpdate(parameters.Text, 1, (_, count) => count + 1);
        await using var draft = stage.Artifacts.Begin();
        await File.WriteAllTextAsync(Path.Combine(draft.Folder, "text"), parameters.Text, cancellation);
        return new Outputs(await draft.CommitAsync(cancellation));
    }
}

/// <summary>Logs and reports far faster than the database could take it one by one.</summary>
internal sealed class Chatter : Activity<None, Chatter.Parameters, Chatter.Outputs>
{
    public sealed record Parameters(int Lines = 1000);

    public sealed record Outputs(int Lines);

    public override string Kind => "toy.chatter";

    public override Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        for (var line = 1; line <= parameters.Lines; line++)
        {
            stage.Log($"line {line}\0");
            stage.Report(line, parameters.Lines, "line", ("loss", 1.0 / line), ("bad", double.NaN));
        }

        return Task.FromResult(new Outputs(parameters.Lines));
    }
}

internal sealed class WhoAmI : Activity<None, None, WhoAmI.Outputs>
{
    public sealed record Outputs(string Device, bool ScratchIsEmpty, string Scratch);

    public override string Kind => "toy.who-am-i";

    public override Task<Outputs> RunAsync(
        None inputs, None parameters, StageContext stage, CancellationToken cancellation) =>
        Task.FromResult(new Outputs(
            stage.Device, !Directory.EnumerateFileSystemEntries(stage.Scratch).Any(), stage.Scratch));
}

/// <summary>Outputs this many characters.</summary>
internal sealed class Large : Activity<None, Large.Parameters, Large.Outputs>
{
    public sealed record Parameters(int Characters);

    public sealed record Outputs(string Text);

    public override string Kind => "toy.large";

    public override Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation) =>
        Task.FromResult(new Outputs(new string('x', parameters.Characters)));
}
