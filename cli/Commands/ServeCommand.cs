using System.CommandLine;
using System.Net;
using Pipelines.Web;

namespace Pipelines.Cli.Commands;

/// <summary>The server, and a worker beside it, until they are told to stop.</summary>
internal static class ServeCommand
{
    private static readonly Option<string> Listen = new("--listen")
    {
        Description = "Address and port; beyond this machine (0.0.0.0:5080) it wants a token",
        HelpName = "address",
        DefaultValueFactory = _ => "127.0.0.1:5080",
    };

    private static readonly Option<string> Largest = new("--largest-artifact")
    {
        Description = "How large an artifact may be that another machine sends",
        HelpName = "size",
        DefaultValueFactory = _ => "1T",
    };

    public static Command Create()
    {
        var required = new Option<bool>("--require-token") { Description = "Want a token on this machine too: those of pipelines token add" };
        var idle = new Option<bool>("--no-worker") { Description = "Execute no stages" };
        var command = new Command("serve", "Gives artifacts to workers on other machines, and executes stages itself") { Listen, Largest, required, idle };
        var token = new TokenOption("What a request must show");
        token.AddTo(command);
        var work = new WorkOptions();
        work.AddTo(command);
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            var options = Options(parsed, token, parsed.GetValue(required));
            var offer = parsed.GetValue(idle) ? null : work.Read(parsed);
            using var export = OtlpExport.Start();
            await using var engine = await WorkOptions.PatientlyAsync(
                () => place.OpenAsync(parsed, cancellation, offer), cancellation);
            await using var server = await StartAsync(() => PipelinesServer.StartAsync(engine, options, cancellation), options);
            if (offer is not null)
                await engine.WorkAsync(cancellation);
            Console.WriteLine($"listening on {server.Address}, {(offer is not null ? "working on" : "not working, beside")} {engine.DatabaseDescription}; Ctrl-C stops");
            await Invocation.UntilInterruptedAsync(cancellation);
            Console.WriteLine("stopping");
            return Invocation.Success;
        });
        return command;
    }

    private static ServerOptions Options(ParseResult parsed, TokenOption token, bool required)
    {
        var text = parsed.GetRequiredValue(Listen).Replace("localhost", "127.0.0.1", StringComparison.Ordinal);
        // Without a port, an endpoint would be read as one with port 0.
        if (!IPEndPoint.TryParse(text, out var listen) || listen.ToString() != text)
            throw new UserException($"--listen {text}: expected an address and a port, as 127.0.0.1:5080 or 0.0.0.0:5080");
        var options = new ServerOptions
        {
            Listen = listen,
            Token = token.Read(parsed),
            RequireToken = required,
            LargestArtifact = ByteSize.Read("--largest-artifact", parsed.GetRequiredValue(Largest)),
            LoggerFactory = Place.Logging(),
        };
        return options.Token is not null || required || IPAddress.IsLoopback(listen.Address)
            ? options
            : throw new UserException($"--listen {listen} is reached from other machines, which needs a token: --token-file FILE or PIPELINES_TOKEN, or --require-token for those of pipelines token add");
    }

    private static async Task<PipelinesServer> StartAsync(Func<Task<PipelinesServer>> start, ServerOptions options)
    {
        try
        {
            return await start();
        }
        catch (IOException error)
        {
            throw new UserException($"--listen {options.Listen}: {error.Message}");
        }
    }
}
