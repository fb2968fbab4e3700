using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>The groups that stages belong to and workers serve.</summary>
internal static class StageGroup
{
    public const string Cpu = "cpu";
    public const string Gpu = "gpu";

    extension(PlannedStage stage)
    {
        public string Group => stage.Gpu > 0 ? Gpu : Cpu;
    }
}
