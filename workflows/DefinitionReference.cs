using System.Globalization;

namespace Pipelines.Workflows;

/// <summary>A published workflow by its name: <c>prune@3</c>, or <c>prune</c> for the version that is the latest then.</summary>
public sealed record DefinitionReference(string Name, int? Version)
{
    /// <summary>What a document puts before it, so that it is no path.</summary>
    public const string Prefix = "definition:";

    public static bool Is(string? text) => text?.StartsWith(Prefix, StringComparison.Ordinal) == true;

    /// <param name="text">With or without the prefix.</param>
    /// <returns>Null when there is no name, or what follows the @ is no version.</returns>
    public static DefinitionReference? Parse(string text)
    {
        var name = Is(text) ? text[Prefix.Length..] : text;
        var at = name.LastIndexOf('@');
        if (at < 0)
            return name.Length > 0 ? new DefinitionReference(name, null) : null;
        return at > 0 && int.TryParse(name[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version > 0
            ? new DefinitionReference(name[..at], version)
            : null;
    }

    public override string ToString() => Version is { } version ? $"{Name}@{version}" : Name;
}
