using System.Collections.Concurrent;
using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Tests.Engine;

/// <summary>Stages that need no model: numbers, failures, doors and a file.</summary>
internal static class Toys
{
    public static Catalog Catalog() => new Catalog()
        .Add(new Number()).Add(new Add()).Add(new FailTimes()).Add(new Door()).Add(new WriteFile()).Add(new Chatter())
        .Add(new WhoAmI()).Add(new Sum()).Add(new Deaf()).Add(new UseDevice()).Add(new Large());

    public static StageDefinition Stage(
        string id, string kind, object? parameters = null, Dictionary<string, string>? inputs = null, int attempts = 1,
        int gpu = 0) =>
        new(id, kind, parameters is null ? null : JsonSerializer.SerializeToElement(parameters), Sources(inputs),
            gpu > 0 ? new ResourceDefinition(gpu) : null, new RetryDefinition(attempts));

    public static StageDefinition Number(string id, double value) => Stage(id, "toy.number", new { value });

    public static StageDefinition Add(string id, string a, string b) => Stage(
        id, "toy.add", null, new() { ["a"] = $"{a}.value", ["b"] = $"{b}.value" });

    /// <summary>The key of a result that nothing else has.</summary>
    public static CacheKey Key(string name) => CacheKey.Of("toy.number", 1, Json.Write(new { name }), Json.Write(new { }), null);

    public static Plan PlanOf(string json, params (string Name, object Value)[] set)
    {
        var values = set.ToDictionary(one => one.Name, one => JsonSerializer.SerializeToElement(one.Value));
        var fine = Pipelines.Workflows.Plan.TryCreate(Json.Read<WorkflowDefinition>(json), Catalog(), values, out var plan, out var errors);
        Assert.True(fine, string.Join("\n", errors));
        return plan;
    }

    public static Plan Plan(params StageDefinition[] stages) => PlanFor(null, stages);

    public static Plan PlanFor(Dictionary<string, string>? outputs, params StageDefinition[] stages)
    {
        var definition = new WorkflowDefinition("toy", stages, Outputs: Sources(outputs));
        var fine = Pipelines.Workflows.Plan.TryCreate(
            definition, Catalog(), new Dictionary<string, JsonElement>(), out var plan, out var errors);
        Assert.True(fine, string.Join("\n", errors));
        return plan;
    }

    private static Dictionary<string, Sources>? Sources(Dictionary<string, string>? names) =>
        names?.ToDictionary(name => name.Key, name => new Sources([name.Value]));
}

/// <summary>Joins a fan-out.</summary>
internal sealed class Sum : Activity<Sum.Inputs, None, Sum.Outputs>
{
    public sealed record Inputs(IReadOnlyList<Branch<double>> Values);

    public sealed record Outputs(double Value, string Of);

    public override string Kind => "toy.sum";

    public override Task<Outputs> RunAsync(
        Inputs inputs, None parameters, StageContext stage, CancellationToken cancellation) =>
        Task.FromResult(new Outputs(
            inputs.Values.Sum(branch => branch.Value),
            string.Join(' ', inputs.Values.Select(branch =>
                $"{branch.Stage}({string.Join(',', branch.Variables.Select(value => $"{value.Key}={value.Value.GetRawText()}"))})"))));
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

/// <summary>Says that it has begun, and ends when it is let go: its cancellation does not reach it.</summary>
internal sealed class Deaf : Activity<None, Deaf.Parameters, Deaf.Outputs>
{
    private static readonly ConcurrentDictionary<string, Deaf> Stages = new();
    private readonly SemaphoreSlim begun = new(0);
    private readonly ManualResetEventSlim free = new();

    public sealed record Parameters(string Name);

    public sealed record Outputs(double Value);

    public override string Kind => "toy.deaf";

    public static Deaf Named(string name) => Stages.GetOrAdd(name, _ => new Deaf());

    public Task BegunAsync() => begun.WaitAsync(TestContext.Current.CancellationToken);

    public void LetGo() => free.Set();

    public override Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var named = Named(parameters.Name);
        named.begun.Release();
        named.free.Wait(CancellationToken.None);
        return Task.FromResult(new Outputs(1));
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

/// <summary>Counts the stages that have a device at once, and gives others time to come.</summary>
internal sealed class UseDevice : Activity<None, None, UseDevice.Outputs>
{
    public static readonly ConcurrentDictionary<string, int> MostAtOnce = new();
    private static readonly ConcurrentDictionary<string, int> Users = new();

    public sealed record Outputs(string Device);

    public override string Kind => "toy.use-device";

    public override async Task<Outputs> RunAsync(
        None inputs, None parameters, StageContext stage, CancellationToken cancellation)
    {
        var users = Users.AddOrUpdate(stage.Device, 1, (_, count) => count + 1);
        MostAtOnce.AddOrUpdate(stage.Device, users, (_, most) => Math.Max(most, users));
        for (var i = 0; i < 20; i++)
            await Task.Yield();
        Users.AddOrUpdate(stage.Device, 0, (_, count) => count - 1);
        return new Outputs(stage.Device);
    }
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
