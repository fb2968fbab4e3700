using System.CommandLine;

namespace Pipelines.Cli.Commands;

internal static class ValidateCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The workflow document" };
        var set = new Option<string[]>("--set") { Description = "Set a parameter of the workflow", HelpName = "name=value" };
        var command = new Command("validate", "Checks a workflow as a whole, without running it") { file, set };
        command.SetWork((parsed, _) =>
        {
            var plan = Workflow.Plan(parsed.GetRequiredValue(file), parsed.GetValue(set) ?? []);
            Console.WriteLine($"{plan.Definition.Name}: {plan.Stages.Count} stages, no faults");
            return Task.FromResult(Invocation.Success);
        });
        return command;
    }
}
