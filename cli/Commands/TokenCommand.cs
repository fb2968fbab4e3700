using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Workflows;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

/// <summary>Who may ask the server for what, and who did. Whoever can reach the database may do this.</summary>
internal static class TokenCommand
{
    private const int MostLines = 1_000_000;

    private static readonly string Words = string.Join(", ", Enum.GetNames<Role>().Select(word => word.ToLowerInvariant()));

    public static Command Create() => new("token", "Tokens: who may ask the server for what") { Add(), List(), Revoke() };

    public static Command CreateAudit()
    {
        var limit = new Option<int>("--limit") { Description = "So many lines, the newest first", HelpName = "number", DefaultValueFactory = _ => 50 };
        var json = new Option<bool>("--json") { Description = "Print a line of JSON for each" };
        return Place.At(new Command("audit", "Shows who changed what over HTTP") { limit, json }, async (engine, parsed, cancellation) =>
        {
            var most = parsed.GetValue(limit);
            if (most is < 1 or > MostLines)
                throw new UserException($"--limit {most}: expected 1 to {MostLines}");
            foreach (var line in await engine.Audit.ListAsync(most, cancellation))
            {
                Console.WriteLine(parsed.GetValue(json)
                    ? Json.Write(line).GetRawText()
                    : $"{Date(line.At)}  {line.Who ?? "(this machine)",-16}  {line.Status}  {line.Action.Split(' ')[0],-6}  {line.Target}");
            }

            return Invocation.Success;
        });
    }

    private static Command Add()
    {
        var name = Name();
        var role = new Option<string>("--role") { Description = $"What it allows: {Words}", HelpName = "word", Required = true };
        var expires = new Option<string?>("--expires") { Description = "How long it holds: 90d, 12h; for ever without this", HelpName = "time" };
        return Place.At(new Command("add", "Makes a token and prints it, once") { name, role, expires }, async (engine, parsed, cancellation) =>
        {
            TimeSpan? lifetime = parsed.GetValue(expires) is { } text
                ? Duration.Read(text) ?? throw new UserException($"--expires {text}: expected {Duration.Expected}")
                : null;
            var (view, token) = await engine.Tokens.AddAsync(parsed.GetRequiredValue(name), Read(parsed.GetRequiredValue(role)), lifetime, cancellation);
            Invocation.Errors.WriteLine(
                $"{view.Name} is {Word(view.Role)}{(view.Expires is { } end ? $" until {Date(end)}" : "")}; the token is shown this once:");
            Console.WriteLine(token);
            return Invocation.Success;
        });
    }

    private static Command List() => Place.At(new Command("list", "Lists the tokens"), async (engine, _, cancellation) =>
    {
        var tokens = await engine.Tokens.ListAsync(cancellation);
        if (tokens.Count == 0)
        {
            Console.WriteLine("no tokens yet: pipelines token add NAME --role operator");
            return Invocation.Success;
        }

        var table = new Table().Border(TableBorder.None).AddColumns("NAME", "ROLE", "MADE", "EXPIRES", "USED", "REVOKED");
        foreach (var one in tokens)
        {
            table.AddRow(
                new Text(one.Name), new Text(Word(one.Role)), new Text(Date(one.Created)), new Text(Date(one.Expires)),
                new Text(Date(one.Used)), new Text(Date(one.Revoked)));
        }

        AnsiConsole.Write(table);
        return Invocation.Success;
    });

    private static Command Revoke()
    {
        var name = Name();
        return Place.At(new Command("revoke", "Makes a token worth nothing, at once") { name }, async (engine, parsed, cancellation) =>
        {
            await engine.Tokens.RevokeAsync(parsed.GetRequiredValue(name), cancellation);
            Console.WriteLine($"{parsed.GetValue(name)} is revoked");
            return Invocation.Success;
        });
    }

    private static Argument<string> Name() => new("name") { Description = "Whose token it is" };

    private static Role Read(string word)
    {
        try
        {
            return Json.Read<Role>(Json.Write(word));
        }
        catch (JsonException)
        {
            throw new UserException($"--role {word}: expected {Words}");
        }
    }

    private static string Word(Role role) => Json.Write(role).GetString()!;

    private static string Date(DateTimeOffset? at) => at?.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? "–";
}
