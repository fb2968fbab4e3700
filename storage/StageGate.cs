using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>What becomes of a stage whose feeders are done: it runs, it is skipped, or its condition cannot be answered.</summary>
/// <param name="State">Ready, Skipped or Failed.</param>
/// <param name="Reason">Why it is not ready.</param>
internal sealed record Gating(StageState State, string? Reason)
{
    /// <param name="outputs">The outputs of a stage; null when it was skipped.</param>
    public static Gating Of(
        PlannedGate gate, IReadOnlyDictionary<string, PlannedInput> inputs, Func<string, JsonElement?> outputs)
    {
        foreach (var condition in gate.Conditions)
        {
            try
            {
                var holds = Expression.ParseCondition(condition.Text).EvaluateCondition(
                    name => condition.Variables.TryGetValue(name, out var value) ? value : null,
                    name => condition.Outputs[name.ToString()].Value(outputs) is { } value ? Json.Write(value) : null);
                if (holds != condition.Expected)
                    return new Gating(StageState.Skipped, $"{condition.Text} is {(holds ? "true" : "false")}");
            }
            catch (ExpressionException error)
            {
                return new Gating(StageState.Failed, $"the condition '{condition.Text}' has no answer: {error.Message}");
            }
        }

        var missing = gate.Needs.FirstOrDefault(
            port => inputs.TryGetValue(port, out var input) && input.Value(outputs) is null);
        return missing is null
            ? new Gating(StageState.Ready, null)
            : new Gating(StageState.Skipped, $"what feeds its input '{missing}' was skipped");
    }
}
