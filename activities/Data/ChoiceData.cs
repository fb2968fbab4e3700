using System.ComponentModel;
using Pipelines.Activities.Evaluation;
using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>Multiple-choice questions, kept as an artifact: <c>items.jsonl</c>, as it came and read through once.</summary>
[Description("A file of multiple-choice questions, one JSON object a line")]
public sealed class ChoiceData : Activity<None, ChoiceData.Parameters, ChoiceData.Outputs>
{
    private const string FileName = "items.jsonl";

    public sealed record Parameters(
        [property: Description("The file: a line is {\"context\": \"…\", \"choices\": [\"…\", \"…\"], \"answer\": 0}")] string Path);

    public sealed record Outputs(Choices Choices);

    public override string Kind => "data.choice";

    public override string? Source(Parameters parameters) => FileState.Of(parameters.Path);

    public override async Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var bytes = await Utf8File.ReadAsync(parameters.Path, cancellation);
        await using var draft = stage.Artifacts.Begin();
        var file = Path.Combine(draft.Folder, FileName);
        await File.WriteAllBytesAsync(file, bytes, cancellation);
        var items = ChoiceItem.Parse(parameters.Path, File.ReadLines(file));
        stage.Report(items.Count, items.Count, "item");
        return new Outputs(new Choices(await draft.CommitAsync(cancellation)));
    }

    internal static async Task<IReadOnlyList<ChoiceItem>> OpenAsync(
        IArtifacts artifacts, Choices choices, CancellationToken cancellation) =>
        ChoiceItem.Read(Path.Combine(await artifacts.OpenAsync(choices.Hash, cancellation), FileName));
}
