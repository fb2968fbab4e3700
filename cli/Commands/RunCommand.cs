using System.CommandLine;
using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Cli.Commands;

/// <summary>Runs a workflow in this process (other workers on the same database help), and shows it live.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The workflow document, or a published workflow: NAME or NAME@VERSION" };
        var set = new Option<string[]>("--set")
        {
            Description = "Set a parameter of the workflow, as sparsity=0.6; may be repeated",
            HelpName = "name=value",
            AllowMultipleArgumentsPerToken = false,
        };
        var output = new Option<string?>("--out")
        {
            Description = "Where the results go; ./NAME-out without it",
            HelpName = "folder",
        };
        var fresh = new Option<bool>("--no-cache") { Description = "Compute every stage, even those whose result is stored" };
        var anew = new Option<string[]>("--no-cache-stage")
        {
            Description = "Compute this stage even if its result is stored; a group means all in it; may be repeated",
            HelpName = "stage",
            AllowMultipleArgumentsPerToken = false,
        };
        var gpu = new Option<bool>("--gpu") { Description = "Give every stage a GPU that does not say that it needs none" };
        var key = new Option<string?>("--key") { Description = "A second start with this key follows the first run", HelpName = "text" };
        var json = new Option<bool>("--json") { Description = "Print events as lines of JSON" };
        var command = new Command("run", "Runs a workflow and shows it live") { file, set, output, fresh, anew, gpu, key, json };
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            var (what, settings, onGpu) = (parsed.GetRequiredValue(file), parsed.GetValue(set) ?? [], parsed.GetValue(gpu));
            var published = Workflow.Published(what);
            // What is wrong with a file is said before anything is started.
            var plan = published is null ? Workflow.Plan(what, settings, gpu: onGpu, anew: parsed.GetValue(anew)) : null;
            var results = ResultFolder.At(parsed.GetValue(output) ?? $"{plan?.Definition.Name ?? published!.Name}-out");
            using var export = OtlpExport.Start();
            await using var engine = await place.OpenAsync(parsed, cancellation, Offer.All());
            int? version = null;
            if (published is not null)
            {
                (var definition, version) = await engine.Definitions.ResolveAsync(published, cancellation);
                plan = Workflow.Plan(definition, $"{definition.Name}@{version}", settings, gpu: onGpu, anew: parsed.GetValue(anew));
            }

            results.Create();
            await engine.WorkAsync(cancellation);
            var run = await engine.StartRunAsync(
                plan!, new RunRequest(!parsed.GetValue(fresh), parsed.GetValue(key), version), cancellation);
            return await new RunFollower(engine, run, results, parsed.GetValue(json), place.Repeat(parsed))
                .FollowAsync(cancellation);
        });
        return command;
    }
}

/// <summary>A workflow document, checked as a whole.</summary>
internal static class Workflow
{
    /// <param name="fullPath">What becomes of a path on the command line; by default it is taken from the current folder.</param>
    /// <param name="gpu">Whether stages that do not say what they need get a GPU.</param>
    /// <param name="anew">Stages for which no stored result may stand.</param>
    /// <exception cref="UserException">Names every fault.</exception>
    public static Plan Plan(
        string file, IEnumerable<string> settings, Func<string, string>? fullPath = null, bool gpu = false, string[]? anew = null) =>
        Plan(WorkflowFile.Read(file), file, settings, fullPath, gpu, anew);

    /// <param name="source">What its user calls it.</param>
    /// <inheritdoc cref="Plan(string, IEnumerable{string}, Func{string, string}, bool, string[])"/>
    public static Plan Plan(
        WorkflowDefinition definition, string source, IEnumerable<string> settings, Func<string, string>? fullPath = null,
        bool gpu = false, string[]? anew = null)
    {
        if (gpu)
            definition = definition.MapActivities((_, stage) => stage with { Resources = stage.Resources ?? new ResourceDefinition(Gpu: 1) });
        foreach (var stage in anew ?? [])
            definition = ComputedAnew(definition, stage);
        var values = Values(definition, settings, fullPath);
        if (Workflows.Plan.TryCreate(definition, ActivityCatalog.Create(), values, out var plan, out var errors))
            return plan;
        throw new UserException(
            $"{source}: {errors.Count} {(errors.Count == 1 ? "fault" : "faults")}, nothing was run\n"
            + string.Join('\n', errors.Select(error => $"  {error}")));
    }

    /// <returns>Null when it is a file, or looks like one.</returns>
    public static DefinitionReference? Published(string text) =>
        File.Exists(text) || text.Contains('/', StringComparison.Ordinal) || text.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            ? null
            : DefinitionReference.Parse(text);

    /// <summary>What <c>--set name=value</c> says.</summary>
    /// <inheritdoc cref="Plan(string, IEnumerable{string}, Func{string, string}, bool, string[])" path="/param[@name='fullPath']"/>
    /// <exception cref="UserException">One has no equals sign.</exception>
    public static Dictionary<string, JsonElement> Values(
        WorkflowDefinition definition, IEnumerable<string> settings, Func<string, string>? fullPath = null)
    {
        fullPath ??= Path.GetFullPath;
        var values = new Dictionary<string, JsonElement>();
        foreach (var setting in settings)
        {
            var equals = setting.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
                throw new UserException($"--set {setting}: expected name=value");
            var (name, value) = (setting[..equals], setting[(equals + 1)..]);
            var isPath = definition.Parameters?.GetValueOrDefault(name)?.Type == ParameterType.Path;
            values[name] = JsonSerializer.SerializeToElement(isPath ? fullPath(value) : value);
        }

        return values;
    }

    private static WorkflowDefinition ComputedAnew(WorkflowDefinition definition, string name)
    {
        var known = new List<string>();
        var found = false;
        var changed = definition.MapActivities((path, stage) =>
        {
            known.Add(path);
            if (path != name && !path.StartsWith(name + ".", StringComparison.Ordinal))
                return stage;
            found = true;
            return stage with { Cache = false };
        });
        return found ? changed : throw new UserException($"--no-cache-stage {name}: there is no such stage{Suggestion.For(name, known)}");
    }
}
