using System.CommandLine;
using Pipelines.Workflows;
using Pipelines.Workflows.Elsa;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

/// <summary>Elsa 3's JSON to a workflow document, and back.</summary>
internal static class ElsaCommand
{
    private static readonly Argument<string> Source = new("file") { Description = "What to read" };
    private static readonly Option<string?> Target = new("--out") { Description = "Where to write it; standard output when absent", HelpName = "file" };

    public static Command Create()
    {
        var import = new Command("import", "Makes a workflow document of an Elsa workflow; what has no meaning here is kept, with a warning") { Source, Target };
        import.SetWork((parsed, cancellation) => ImportAsync(parsed.GetRequiredValue(Source), parsed.GetValue(Target), cancellation));
        var export = new Command("export", "Makes an Elsa workflow of a workflow document; what came from Elsa is written back as it was") { Source, Target };
        export.SetWork((parsed, cancellation) => ExportAsync(parsed.GetRequiredValue(Source), parsed.GetValue(Target), cancellation));
        return new Command("elsa", "Imports and exports the JSON of Elsa 3") { import, export };
    }

    private static async Task<int> ImportAsync(string file, string? target, CancellationToken cancellation)
    {
        var imported = Explain(file, () => ElsaImport.Read(WorkflowFile.ReadBytes(file)));
        foreach (var warning in imported.Warnings)
            Invocation.Errors.MarkupLineInterpolated($"[yellow]warning:[/] {warning}");
        return await WriteAsync(target, Json.Pretty(imported.Definition), cancellation);
    }

    private static Task<int> ExportAsync(string file, string? target, CancellationToken cancellation) =>
        WriteAsync(target, Explain(file, () => ElsaExport.Write(WorkflowFile.Read(file))), cancellation);

    private static async Task<int> WriteAsync(string? target, string text, CancellationToken cancellation)
    {
        if (target is null)
        {
            Console.WriteLine(text);
            return Invocation.Success;
        }

        try
        {
            await File.WriteAllTextAsync(target, text + '\n', cancellation);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"--out {target}: {error.Message}");
        }

        return Invocation.Success;
    }

    private static T Explain<T>(string file, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (ElsaException error)
        {
            throw new UserException($"{file}: {error.Message}");
        }
    }
}
