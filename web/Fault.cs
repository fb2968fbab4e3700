using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Pipelines.Workflows;

namespace Pipelines.Web;

/// <summary>A fault of a workflow, for a form that shows it at its place.</summary>
/// <param name="Stage">The stage, with a slash after each group: <c>sweep/prune</c>; null for the document itself.</param>
/// <param name="Field">What of it is wrong: <c>inputs.model</c>, <c>when</c>; null for the stage as a whole.</param>
internal sealed partial record Fault(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Stage,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Field,
    string Message)
{
    public static Fault Of(WorkflowError error) => new(error.Stage?.Replace('.', '/'), FieldOf(error.Message), error.Message);

    /// <summary>The field that a message speaks of; null when it speaks of none.</summary>
    public static string? FieldOf(string message)
    {
        if (Setting().Match(message) is { Success: true } setting)
            return setting.Groups[1].Value;
        if (message.StartsWith("no activity of kind ", StringComparison.Ordinal))
            return "kind";
        return Named().Match(message) is { Success: true } named ? $"{named.Groups[1].Value}s.{named.Groups[2].Value}" : null;
    }

    [GeneratedRegex(@"^(when|repeat\.until|repeat\.times|matrix\.parallel|matrix\.values(?:\.[\w-]+)?|retry\.\w+|resources\.\w+|timeout)(?=:| is )")]
    private static partial Regex Setting();

    [GeneratedRegex(@"^(?:unknown |the workflow has no |[\w.-]+ has no )?(parameter|input|output) '([^']+)'")]
    private static partial Regex Named();
}
