namespace Pipelines.Models;

/// <summary>A token that is matched in the text itself; the normalized ones are matched after the others.</summary>
internal sealed record AddedToken(int Id, string Content, bool Normalized);
