using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Workflows;

namespace Pipelines.Tests.Workflows;

/// <summary>Stages without tensors, for tests of definitions and plans.</summary>
internal static class ToyActivities
{
    public static Catalog Catalog() => new Catalog().Add(new NumberActivity()).Add(new AddActivity()).Add(new TellActivity());
}

internal sealed class NumberActivity : Activity<None, NumberActivity.Parameters, NumberActivity.Outputs>
{
    public sealed record Parameters(
        [property: Range(0.0, 10.0), Description("The number")] double Value = 1,
        string Name = "one");

    public sealed record Outputs(double Value, string Name);

    public override string Kind => "toy.number";

    public override Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation) =>
        Task.FromResult(new Outputs(parameters.Value, parameters.Name));
}

[Description("Adds two numbers")]
internal sealed class AddActivity : Activity<AddActivity.Inputs, None, AddActivity.Outputs>
{
    public sealed record Inputs(double Left, double? Right);

    public sealed record Outputs(double Sum);

    public override string Kind => "toy.add";

    public override int Version => 2;

    public override Task<Outputs> RunAsync(
        Inputs inputs, None parameters, StageContext stage, CancellationToken cancellation) =>
        Task.FromResult(new Outputs(inputs.Left + (inputs.Right ?? 0)));
}

internal sealed class TellActivity : Activity<TellActivity.Inputs, None, None>
{
    public sealed record Inputs(string Text);

    public override string Kind => "toy.tell";

    public override Task<None> RunAsync(
        Inputs inputs, None parameters, StageContext stage, CancellationToken cancellation) => Task.FromResult(new None());
}
