using System.CommandLine;
using System.Text.Json.Nodes;
using Pipelines.Activities;
using Pipelines.Workflows;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

internal static class ActivitiesCommand
{
    public static Command Create()
    {
        var kind = new Argument<string?>("kind") { Description = "Show this one's ports and parameters", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("activities", "Lists the kinds of stages") { kind };
        command.SetWork((parsed, _) =>
        {
            var catalog = ActivityCatalog.Create();
            if (parsed.GetValue(kind) is not { } wanted)
                List(catalog);
            else if (catalog.Find(wanted) is { } entry)
                Show(entry);
            else
                throw new UserException($"no activity of kind '{wanted}'{Suggestion.For(wanted, [.. catalog.Entries.Select(one => one.Kind)])}");
            return Task.FromResult(Invocation.Success);
        });
        return command;
    }

    private static void List(Catalog catalog)
    {
        var table = new Table().Border(TableBorder.None).AddColumn("KIND").AddColumn("WHAT IT DOES");
        foreach (var entry in catalog.Entries)
            table.AddRow(entry.Kind.EscapeMarkup(), entry.Description.EscapeMarkup());
        AnsiConsole.Write(table);
    }

    private static void Show(CatalogEntry entry)
    {
        AnsiConsole.MarkupLineInterpolated($"[bold]{entry.Kind}[/] (version {entry.Version}): {entry.Description}");
        Ports("inputs", entry.Inputs);
        Ports("outputs", entry.Outputs);
        if (entry.Parameters["properties"] is not JsonObject parameters)
            return;
        var table = new Table().Border(TableBorder.None).AddColumns("PARAMETER", "TYPE", "DEFAULT", "");
        foreach (var (name, schema) in parameters)
            table.AddRow(name.EscapeMarkup(), Type(schema!).EscapeMarkup(), Default(schema!).EscapeMarkup(), About(schema!).EscapeMarkup());
        AnsiConsole.Write(table);
    }

    private static void Ports(string title, IReadOnlyList<Port> ports)
    {
        var listed = ports.Select(port => $"{port.Name}: {port.Type}{(port.Optional ? "?" : "")}");
        AnsiConsole.MarkupLineInterpolated($"  {title}: {(ports.Count == 0 ? "none" : string.Join(", ", listed))}");
    }

    private static string Type(JsonNode schema) => schema["enum"] is JsonArray values
        ? string.Join(" | ", values.Where(value => value is not null).Select(value => value!.ToString()))
        : schema["type"] is JsonArray types
            ? string.Join(" | ", types.Select(type => type!.ToString()))
            : schema["type"]?.ToString() ?? "";

    private static string Default(JsonNode schema) =>
        schema.AsObject().ContainsKey("default") ? schema["default"]?.ToJsonString() ?? "null" : "required";

    private static string About(JsonNode schema)
    {
        var range = schema["minimum"] is { } least ? $" ({least} to {schema["maximum"]})" : "";
        return $"{schema["description"]}{range}";
    }
}
