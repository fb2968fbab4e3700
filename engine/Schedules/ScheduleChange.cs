using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine.Schedules;

/// <summary>What is to become of a schedule; what is null stays as it is.</summary>
/// <param name="Definition">What is published; without a version, the one that is the latest at each firing.</param>
/// <param name="Document">In place of it a document, of which a copy is kept.</param>
/// <param name="Parameters">All of them; those that stay are the ones that the workflow has.</param>
public sealed record ScheduleChange(
    string? Cron = null, string? Zone = null, MissedPolicy? Missed = null, OverlapPolicy? Overlap = null,
    DefinitionReference? Definition = null, WorkflowDefinition? Document = null, IReadOnlyDictionary<string, JsonElement>? Parameters = null);
