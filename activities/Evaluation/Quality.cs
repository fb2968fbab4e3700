using System.Globalization;
using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>How good models are, whichever figure says it: a low perplexity, a high accuracy.</summary>
internal static class Quality
{
    /// <summary>Less is better: the perplexity, or the share of images that were not recognised.</summary>
    public static double Cost(this Measurement measured) => measured.Perplexity ?? 1 - measured.Accuracy
        ?? throw new StageException($"'{measured.Protocol}' measured neither a perplexity nor an accuracy");

    public static double Cost(this ModelFigures figures) => figures.Perplexity ?? 1 - figures.Accuracy
        ?? throw new StageException("a model of this ranking has neither a perplexity nor an accuracy");

    /// <summary>The figures of several models, for messages.</summary>
    public static string Plural(this Measurement measured) => measured.Perplexity is null ? "accuracies" : "perplexities";

    /// <summary>As people say it: <c>a perplexity of 20</c>.</summary>
    public static string Said(this Measurement measured) => measured.Perplexity is { } perplexity
        ? string.Create(CultureInfo.InvariantCulture, $"a perplexity of {perplexity:0.###}")
        : string.Create(CultureInfo.InvariantCulture, $"an accuracy of {measured.Accuracy:0.####}");
}
