using System.CommandLine;
using Pipelines.Cli.Doctor;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

/// <summary>Looks at what a run needs, and says what to do about what is wrong.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var command = new Command("doctor", "Checks LibTorch, BLAS speed, GPU, Postgres and disk, and says what to do");
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            var healthy = true;
            await foreach (var finding in Examination.RunAsync(place, parsed, cancellation))
            {
                var (glyph, color) = finding.Grade switch
                {
                    Grade.Good => ("✓", "green"),
                    Grade.Poor => ("!", "yellow"),
                    _ => ("✗", "red"),
                };
                healthy &= finding.Grade != Grade.Broken;
                AnsiConsole.MarkupLineInterpolated($"[{color}]{glyph}[/] {finding.Subject,-10} {finding.Value}");
                if (finding.Advice is { } advice)
                    AnsiConsole.MarkupLineInterpolated($"  {"",-10} → {advice}");
            }

            return healthy ? Invocation.Success : Invocation.RunFailed;
        });
        return command;
    }
}
