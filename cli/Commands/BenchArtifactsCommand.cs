using System.CommandLine;
using System.Globalization;
using Pipelines.Bench;

namespace Pipelines.Cli.Commands;

/// <summary>Measures the way of artifacts to another machine.</summary>
internal static class BenchArtifactsCommand
{
    public static Command Create()
    {
        var size = new Option<string>("--size") { Description = "Of the artifact", HelpName = "size", DefaultValueFactory = _ => "1G" };
        var command = new Command("artifacts", "How fast artifacts reach another machine, on loopback") { size };
        command.SetWork(async (parsed, cancellation) =>
        {
            var speed = await ArtifactBench.RunAsync(ByteSize.Read("--size", parsed.GetRequiredValue(size)), cancellation);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"sha256 {speed.Hash / 1e6:0} MB/s; commit here {speed.Local / 1e6:0} MB/s, upload {speed.Upload / 1e6:0} MB/s, download {speed.Download / 1e6:0} MB/s"));
            return Invocation.Success;
        });
        return command;
    }
}
