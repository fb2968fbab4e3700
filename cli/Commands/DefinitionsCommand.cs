using System.CommandLine;
using System.Globalization;
using Pipelines.Storage;
using Pipelines.Workflows;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

/// <summary>Workflows that are kept in the database: those of the designer, and those that were published from files.</summary>
internal static class DefinitionsCommand
{
    public static Command Create() => new("definitions", "Workflows that are kept in the database, with their versions")
    {
        List(), Show(), Publish(), Export(),
    };

    private static Command List()
    {
        var json = new Option<bool>("--json") { Description = "Print a line of JSON for each definition" };
        return Place.At(new Command("list", "Lists the definitions") { json }, async (engine, parsed, cancellation) =>
        {
            var definitions = await engine.Definitions.ListAsync(cancellation);
            if (parsed.GetValue(json))
            {
                foreach (var one in definitions)
                    Console.WriteLine(Json.Write(one).GetRawText());
            }
            else if (definitions.Count == 0)
            {
                Console.WriteLine("no definitions yet: pipelines definitions publish FILE");
            }
            else
            {
                AnsiConsole.Write(Table(definitions));
            }

            return Invocation.Success;
        });
    }

    private static Command Show()
    {
        var name = Name();
        return Place.At(new Command("show", "Shows a definition: its revision and its versions") { name }, async (engine, parsed, cancellation) =>
        {
            var definition = await engine.Definitions.FindAsync(parsed.GetRequiredValue(name), cancellation);
            Console.WriteLine($"{definition.Name}: draft at revision {definition.Revision}, {(definition.Published is { } last ? $"version {last} is the latest" : "not published yet")}");
            foreach (var version in definition.Versions)
                Console.WriteLine($"  {version.Version}  {Date(version.At)}{(version.By is { } by ? $"  {by}" : "")}");
            return Invocation.Success;
        });
    }

    private static Command Publish()
    {
        var file = new Argument<string>("file") { Description = "The workflow document; its name is the definition's" };
        return Place.At(new Command("publish", "Saves a document as a draft, and makes it a version that never changes") { file }, async (engine, parsed, cancellation) =>
        {
            var document = WorkflowFile.Read(parsed.GetRequiredValue(file));
            var revision = (await engine.Definitions.ListAsync(cancellation)).FirstOrDefault(one => one.Name == document.Name)?.Revision ?? 0;
            revision = await engine.Definitions.SaveAsync(document.Name, Json.Write(document), revision, null, cancellation);
            var version = await engine.Definitions.PublishAsync(document.Name, revision, null, cancellation);
            Console.WriteLine($"{document.Name}@{version} is published: pipelines run {document.Name}@{version}");
            return Invocation.Success;
        });
    }

    private static Command Export()
    {
        var name = Name();
        var version = new Option<int?>("--version") { Description = "A published version; without it, the draft", HelpName = "number" };
        return Place.At(new Command("export", "Prints a document") { name, version }, async (engine, parsed, cancellation) =>
        {
            var document = parsed.GetValue(version) is { } number
                ? (await engine.Definitions.FindVersionAsync(parsed.GetRequiredValue(name), number, cancellation)).Definition
                : (await engine.Definitions.FindAsync(parsed.GetRequiredValue(name), cancellation)).Definition;
            Console.WriteLine(Json.Pretty(document));
            return Invocation.Success;
        });
    }

    private static Argument<string> Name() => new("name") { Description = "The definition's name" };

    private static Table Table(IReadOnlyList<DefinitionSummary> definitions)
    {
        var table = new Table().Border(TableBorder.None).AddColumns("NAME", "VERSION", "DRAFT", "SAVED", "DESCRIPTION");
        foreach (var one in definitions)
        {
            table.AddRow(
                new Text(one.Name), new Text(one.Published is { } version ? $"{version}" : "–"), new Text(one.Changed ? "changed" : "published"),
                new Text(Date(one.Updated)), new Text(one.Description ?? ""));
        }

        return table;
    }

    private static string Date(DateTimeOffset at) => at.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
