using Pipelines.Workflows;

namespace Pipelines.Tests.Web;

/// <summary>Makes an artifact of another one.</summary>
internal sealed class CopyFile : Activity<CopyFile.Inputs, CopyFile.Parameters, CopyFile.Outputs>
{
    public sealed record Inputs(string File);

    public sealed record Parameters(string Add = "");

    public sealed record Outputs(string File);

    public override string Kind => "toy.copy-file";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var folder = await stage.Artifacts.OpenAsync(inputs.File, cancellation);
        await using var draft = stage.Artifacts.Begin();
        var text = await File.ReadAllTextAsync(Path.Combine(folder, "text"), cancellation);
        await File.WriteAllTextAsync(Path.Combine(draft.Folder, "text"), text + parameters.Add, cancellation);
        return new Outputs(await draft.CommitAsync(cancellation));
    }
}
