using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>The values that a matrix had for a branch: by them what is of one branch is found again.</summary>
internal static class Values
{
    public static bool Same(IReadOnlyDictionary<string, JsonElement> a, IReadOnlyDictionary<string, JsonElement> b) =>
        a.Count == b.Count && a.All(value => b.TryGetValue(value.Key, out var other) && JsonElement.DeepEquals(value.Value, other));

    /// <summary>The stage and its values, for a message.</summary>
    public static string Name<T>(Branch<T> branch) =>
        $"{branch.Stage} {string.Join(", ", branch.Variables.Select(value => $"{value.Key}={value.Value}"))}";

    /// <summary>The model of the branch that was measured.</summary>
    /// <exception cref="StageException">There is none, or more than one.</exception>
    public static Checkpoint Measured(IReadOnlyList<Branch<Checkpoint>> models, Branch<Measurement> measured) =>
        models.Where(model => Same(model.Variables, measured.Variables)).ToList() is [var only]
            ? only.Value
            : throw new StageException($"which model {measured.Stage} measured is not plain: models and measurements must come from one matrix");
}
