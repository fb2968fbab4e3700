using System.CommandLine;

namespace Pipelines.Cli.Commands;

/// <summary>Executes stages of whatever runs are in the database, until it is told to stop.</summary>
internal static class WorkerCommand
{
    public static Command Create()
    {
        var command = new Command("worker", "Executes stages of the runs in the database until it is stopped");
        var work = new WorkOptions();
        work.AddTo(command);
        var remote = new RemoteOptions();
        remote.AddTo(command);
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            var server = remote.Read(parsed);
            if (server is not null && place.Database(parsed) is null)
                throw new UserException("--artifacts needs --database (PIPELINES_DATABASE): the Postgres that the server uses");
            var offer = work.Read(parsed);
            using var export = OtlpExport.Start();
            await using var engine = await WorkOptions.PatientlyAsync(
                async () => await WorkOptions.StartAsync(await place.OpenAsync(parsed, cancellation, offer, server), cancellation),
                cancellation);
            Console.WriteLine(
                $"working on {engine.DatabaseDescription}{(server is null ? "" : $" with the artifacts of {server}")}; Ctrl-C stops");
            Console.WriteLine(await WorkOptions.UntilLeavingAsync(engine, cancellation));
            return Invocation.Success;
        });
        return command;
    }
}
