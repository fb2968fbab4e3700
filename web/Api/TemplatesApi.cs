using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Pipelines.Workflows;

namespace Pipelines.Web.Api;

/// <summary>The workflows that ship, from their folder beside the program.</summary>
internal static class TemplatesApi
{
    private static readonly Lazy<IReadOnlyList<TemplateView>> Templates = new(Read);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/templates", List);

    private static Ok<IReadOnlyList<TemplateView>> List() => TypedResults.Ok(Templates.Value);

    private static IReadOnlyList<TemplateView> Read() =>
    [
        .. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "templates"), "*.json").Order(StringComparer.Ordinal)
            .Select(WorkflowFile.Read)
            .Select(definition => new TemplateView(definition.Name, Title(definition.Name), definition.Description ?? "", definition)),
    ];

    /// <summary><c>llama-prune-recover</c> is "Llama prune recover".</summary>
    private static string Title(string name) => char.ToUpperInvariant(name[0]) + name[1..].Replace('-', ' ');

    private sealed record TemplateView(string Name, string Title, string Description, WorkflowDefinition Definition);
}
