using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Bench;

/// <summary>
/// Stages that do nothing, and graphs of them. Runs keep their cache, as a user's do; every stage has a number of its
/// own, so it looks for a result, finds none and stores one.
/// </summary>
internal sealed class EngineNothing
{
    /// <summary>As many as <see cref="Join"/> has inputs.</summary>
    public const int Width = 100;

    private readonly ConcurrentDictionary<int, TaskCompletionSource<long>> awaited = new();
    private int numbers;
    private int ran;

    public EngineNothing() => Catalog = new Catalog().Add(new Nothing(Note)).Add(new Join(Note));

    public Catalog Catalog { get; }

    /// <summary>Stages that have run in this process.</summary>
    public int Ran => Volatile.Read(ref ran);

    /// <summary>Stages one after the other.</summary>
    public EngineGraph Chain(int length)
    {
        var stages = new List<StageDefinition>();
        for (var i = 0; i < length; i++)
            stages.Add(Stage($"s{i}", "bench.nothing", i == 0 ? null : new() { ["after"] = $"s{i - 1}.value" }));
        return Graph(stages);
    }

    /// <summary>One stage that feeds <see cref="Width"/>, which feed one.</summary>
    public EngineGraph Fan()
    {
        var stages = new List<StageDefinition> { Stage("first", "bench.nothing", null) };
        var joined = new Dictionary<string, string>();
        for (var i = 0; i < Width; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{(char)('a' + i / 10)}{i % 10}");
            stages.Add(Stage(name, "bench.nothing", new() { ["after"] = "first.value" }));
            joined[name] = $"{name}.value";
        }

        return Graph([.. stages, Stage("last", "bench.join", joined)]);
    }

    private StageDefinition Stage(string id, string kind, Dictionary<string, string>? inputs) => new(
        id, kind, JsonSerializer.SerializeToElement(new { number = Interlocked.Increment(ref numbers) }),
        inputs?.ToDictionary(input => input.Key, input => new Sources([input.Value])));

    private EngineGraph Graph(List<StageDefinition> stages)
    {
        var definition = new WorkflowDefinition("bench", stages);
        if (!Plan.TryCreate(definition, Catalog, new Dictionary<string, JsonElement>(), out var plan, out var errors))
            throw new InvalidOperationException(string.Join("\n", errors));
        var last = stages[^1].Parameters!.Value.GetProperty("number").GetInt32();
        return new EngineGraph(plan, awaited.GetOrAdd(last, _ => New()).Task);
    }

    private double Note(int number)
    {
        var now = Stopwatch.GetTimestamp();
        Interlocked.Increment(ref ran);
        if (awaited.TryRemove(number, out var waiting))
            waiting.SetResult(now);
        return number;
    }

    private static TaskCompletionSource<long> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Nothing(Func<int, double> note) : Activity<Nothing.Inputs, Nothing.Parameters, Nothing.Outputs>
    {
        public sealed record Inputs(double? After);

        public sealed record Parameters(int Number);

        public sealed record Outputs(double Value);

        public override string Kind => "bench.nothing";

        public override Task<Outputs> RunAsync(
            Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation) =>
            Task.FromResult(new Outputs(note(parameters.Number)));
    }

    /// <summary>Inputs are the properties of a record, so a stage that joins a hundred has a hundred.</summary>
    private sealed class Join(Func<int, double> note) : Activity<Join.Inputs, Nothing.Parameters, Nothing.Outputs>
    {
        public sealed record Inputs(
            double A0, double A1, double A2, double A3, double A4, double A5, double A6, double A7, double A8, double A9,
            double B0, double B1, double B2, double B3, double B4, double B5, double B6, double B7, double B8, double B9,
            double C0, double C1, double C2, double C3, double C4, double C5, double C6, double C7, double C8, double C9,
            double D0, double D1, double D2, double D3, double D4, double D5, double D6, double D7, double D8, double D9,
            double E0, double E1, double E2, double E3, double E4, double E5, double E6, double E7, double E8, double E9,
            double F0, double F1, double F2, double F3, double F4, double F5, double F6, double F7, double F8, double F9,
            double G0, double G1, double G2, double G3, double G4, double G5, double G6, double G7, double G8, double G9,
            double H0, double H1, double H2, double H3, double H4, double H5, double H6, double H7, double H8, double H9,
            double I0, double I1, double I2, double I3, double I4, double I5, double I6, double I7, double I8, double I9,
            double J0, double J1, double J2, double J3, double J4, double J5, double J6, double J7, double J8, double J9);

        public override string Kind => "bench.join";

        public override Task<Nothing.Outputs> RunAsync(
            Inputs inputs, Nothing.Parameters parameters, StageContext stage, CancellationToken cancellation) =>
            Task.FromResult(new Nothing.Outputs(note(parameters.Number)));
    }
}

/// <param name="LastBegan">When the last stage's code was entered: a timestamp of <see cref="Stopwatch"/>.</param>
internal sealed record EngineGraph(Plan Plan, Task<long> LastBegan);
