using Pipelines.Activities.Calibration;
using Pipelines.Models;
using TorchSharp;

namespace Pipelines.Tests.Fixtures;

/// <summary>Statistics of a model in memory, by the way that the stage goes: from a folder, block by block, through files.</summary>
internal static class Gathered
{
    public static StatisticsFile Of(CausalLM model, torch.Tensor tokens, StatisticsPlan plan)
    {
        var scratch = Directory.CreateTempSubdirectory("pipelines-gathered-").FullName;
        try
        {
            var folder = Directory.CreateDirectory(Path.Combine(scratch, "model")).FullName;
            CausalFolder.Save(model, folder);
            var stage = StageFolder.Unkept with { Scratch = scratch };
            var blocks = new StatisticsRunner(folder, plan, stage, TestContext.Current.CancellationToken).Run(tokens);
            StatisticsFile.Join(scratch, blocks, new CalibrationIdentity("m", "d", tokens.shape[0], tokens.shape[1], null, plan));
            return StatisticsFile.Open(scratch, "m");
        }
        finally
        {
            // What is open stays readable until it is closed.
            Directory.Delete(scratch, recursive: true);
        }
    }
}
