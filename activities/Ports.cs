using System.ComponentModel;
using System.Text.Json;

namespace Pipelines.Activities;

// What crosses an edge. An edge joins ports of equal type; each of these names an artifact by its hash, or is numbers.

/// <summary>A model: a folder with <c>config.json</c>, <c>model.safetensors</c> and, of a language model, <c>tokenizer.json</c>.</summary>
/// <param name="Architecture">The first of the config's <c>architectures</c>: <c>LlamaForCausalLM</c>, <c>CifarResNet</c>.</param>
public sealed record Checkpoint(string Hash, string Architecture);

/// <summary>A text, and which windows of its tokens are meant.</summary>
public sealed record Dataset(string Hash);

/// <summary>Multiple-choice questions.</summary>
public sealed record Choices(string Hash);

/// <summary>Labelled images of one size.</summary>
/// <param name="Count">How many.</param>
/// <param name="Classes">How many kinds of them the labels tell apart.</param>
public sealed record Images(string Hash, long Count, int Classes);

/// <summary>Statistics of the inputs of a model's linears over a calibration set.</summary>
public sealed record Statistics(string Hash);

/// <summary>What is to stay of a model: kept units by place, removed halves of blocks.</summary>
public sealed record Decision(string Hash);

/// <summary>What says of one image classifier where it looks: a folder with <c>explainer.json</c> and <c>explainer.safetensors</c>.</summary>
public sealed record Explainer(string Hash);

/// <summary>A checkpoint as other tools load it, opened again and checked.</summary>
/// <param name="Bytes">Of all its files.</param>
/// <param name="Manifest">Whether a plain <c>config.json</c> cannot say all of it, and <c>pipelines.json</c> is needed to load it.</param>
public sealed record Export(string Hash, long Bytes, bool Manifest);

/// <summary>How good a model is, and how large.</summary>
/// <param name="Protocol">Names how it was measured; numbers of different protocols are not compared.</param>
/// <param name="Perplexity">Of a language model: exp of the mean negative log-likelihood of a token.</param>
/// <param name="Parameters">Entries of all tensors, tied ones once.</param>
/// <param name="Nonzero">Those of them that are not zero.</param>
/// <param name="Bytes">Of the safetensors files.</param>
/// <param name="Flops">Floating-point operations of a forward pass, for one token over windows of the protocol's length (<c>flops-1</c>) or for one image (two for a multiply-add of <c>macs-1</c>); null where an older version measured.</param>
/// <param name="Accuracy">Of a classifier: the share of images that it recognises.</param>
public sealed record Measurement(
    string Protocol, double? Perplexity, long Parameters, long Nonzero, long Bytes, double? Flops = null, double? Accuracy = null);

/// <summary>What is to be known of a classifier's answers beside their <see cref="Measurement"/>.</summary>
/// <param name="Top1">The share of images whose class has the greatest logit.</param>
/// <param name="Top5">The share whose class is among the five greatest; null where there are no more than five classes.</param>
/// <param name="Loss">Mean cross-entropy, in nats.</param>
/// <param name="CalibrationError">Mean distance of confidence and accuracy over 15 bins of the confidence (arXiv:1706.04599).</param>
/// <param name="Convention">How multiply-adds are counted.</param>
/// <param name="Macs">For one image.</param>
/// <param name="Confidences">The bins of the calibration error; null where an older version measured.</param>
public sealed record ClassificationScores(
    string Protocol, long Images, double Top1, double? Top5, double Loss, double CalibrationError, string Convention, double Macs,
    IReadOnlyList<Classifying.ClassScore> Classes, IReadOnlyList<Classifying.ConfidenceBin>? Confidences = null);

/// <summary>How many multiple-choice questions a model answers rightly, and how large it is.</summary>
/// <param name="Protocol">Names how it was measured; numbers of different protocols are not compared.</param>
/// <param name="Items">Questions.</param>
/// <param name="Accuracy">The share whose right choice has the greatest log-likelihood.</param>
/// <param name="StandardError">Of the accuracy; null for a single question.</param>
/// <param name="NormalizedAccuracy">The same by log-likelihood per character of the choice.</param>
/// <param name="Truncated">Prompts that were longer than the model's context.</param>
public sealed record ChoiceMeasurement(
    string Protocol, int Items, double Accuracy, double? StandardError, double NormalizedAccuracy,
    double? NormalizedStandardError, int Truncated, long Parameters, long Nonzero, long Bytes);

/// <summary>How much of a text a model says by heart, and how large it is.</summary>
/// <param name="Protocol">Names how it was measured; numbers of different protocols are not compared.</param>
/// <param name="Windows">Pieces of the text that were tried.</param>
/// <param name="Exact">The share of them that the model went on with to the end, token for token.</param>
/// <param name="Fractional">The share of their tokens that it said in their place.</param>
/// <param name="StandardError">Of the exact rate; null for a single piece.</param>
public sealed record MemorizationMeasurement(
    string Protocol, long Windows, double Exact, double Fractional, double? StandardError,
    long Parameters, long Nonzero, long Bytes, PromptedMemorization? Prompted = null);

/// <summary>The same pieces, with a soft prompt before each prefix.</summary>
/// <param name="Method">How the generator of the prompts was trained, and on how many other pieces.</param>
/// <param name="Loss">Mean cross entropy of the suffixes' tokens, with the prompts.</param>
/// <param name="PlainLoss">Without them.</param>
public sealed record PromptedMemorization(
    string Method, double Exact, double Fractional, double? StandardError, double Loss, double PlainLoss);

/// <summary>How far a pruned classifier looks at the same places as the dense one, by gradients; means over images.</summary>
/// <param name="Protocol">Names how it was measured; numbers of different protocols are not compared.</param>
/// <param name="Same">The share of images that both take for the same class.</param>
/// <param name="Cosine">Of the two saliency maps.</param>
/// <param name="StandardError">Of the mean cosine; null for a single image.</param>
/// <param name="Spearman">ρ of the two maps.</param>
/// <param name="Overlap">Intersection over union of their brightest places.</param>
/// <param name="Radial">By what an explainer says of both; null where none was connected.</param>
public sealed record ExplanationSimilarity(
    string Protocol, long Images, double Same, double Cosine, double? StandardError, double Spearman, double Overlap, RadialSimilarity? Radial);

/// <summary>The same by an explainer's radial masks.</summary>
/// <param name="Distance">Root of the mean squared difference of a mask's three numbers, in 32nds of the image's width.</param>
public sealed record RadialSimilarity(string Protocol, double Distance, double Cosine, double Spearman, double Overlap);

/// <summary>How large a model is, as a whole and block by block.</summary>
/// <param name="Parameters">Entries of all tensors, tied ones once.</param>
/// <param name="Nonzero">Those of them that are not zero.</param>
/// <param name="Bytes">Of the safetensors files.</param>
/// <param name="Convention">How operations are counted.</param>
/// <param name="Length">Of the sequence that <paramref name="Flops"/> is an average over.</param>
/// <param name="Flops">Floating-point operations of a forward pass, for one token.</param>
/// <param name="Dense">The blocks of the model that it was made of; null where that was not given.</param>
public sealed record ModelSize(
    string Architecture, long Parameters, long Nonzero, long Bytes, string Convention, int Length, double Flops,
    IReadOnlyList<BlockSize> Blocks, IReadOnlyList<BlockWidths>? Dense);

/// <summary>One block of a model; a half that was removed has the width 0.</summary>
/// <param name="Block">Its index.</param>
/// <param name="Parameters">With norms and biases.</param>
public sealed record BlockSize(int Block, BlockWidths Widths, long Parameters, long Nonzero, double Flops);

/// <param name="KeyDim">Channels of a query and of a key head.</param>
/// <param name="ValueDim">Channels of a value head.</param>
/// <param name="Neurons">Of the MLP.</param>
public sealed record BlockWidths(int QueryHeads, int KeyValueHeads, int KeyDim, int ValueDim, int Neurons);

/// <summary>How fast two models run beside each other, in one process and in turns.</summary>
/// <param name="Protocol">Names what was run and on what; numbers of different protocols are not compared.</param>
/// <param name="Threads">That one operator may use.</param>
/// <param name="Prefill">Of language models: a prompt at once.</param>
/// <param name="Decode">Of language models: one token after the other, with kept keys and values.</param>
/// <param name="Images">Of classifiers: a batch of images.</param>
/// <param name="Batch">Of classifiers: how long a batch takes.</param>
public sealed record SpeedComparison(
    string Protocol, string Device, int Threads, SpeedPair? Prefill, SpeedPair? Decode, SpeedPair? Images = null, Latency? Batch = null);

/// <param name="Ratio">How many times as fast the pruned one is, round by round.</param>
public sealed record SpeedPair(Spread Dense, Spread Pruned, Spread Ratio);

/// <summary>In seconds.</summary>
public sealed record Latency(Spread Dense, Spread Pruned);

/// <summary>The middle and the ends of what the rounds gave. Of speeds: tokens or images per second, of the whole batch.</summary>
public sealed record Spread(double Median, double Lowest, double Highest);

/// <summary>Before and after, measured by one protocol.</summary>
public sealed record Comparison(string Protocol, ModelFigures Dense, ModelFigures Pruned, ModelFigures? Recovered);

/// <summary>Models of a fan-out, the best first, all measured by one protocol.</summary>
/// <param name="Size">What their size is counted in.</param>
/// <param name="Speed">How speed was measured; null where it was not.</param>
public sealed record Ranking(string Protocol, SizeMeasure Size, IReadOnlyList<RankedModel> Models, RankedBySpeed? Speed = null);

/// <param name="Protocol">Of every speed in the ranking.</param>
/// <param name="Measure">Which of them the front is of.</param>
public sealed record RankedBySpeed(string Protocol, SpeedMeasure Measure);

/// <param name="Stage">The stage that measured it.</param>
/// <param name="Variables">The values that the matrix had for it.</param>
/// <param name="Pareto">Whether no other model is both as small and as good, and better in one of the two.</param>
/// <param name="Speed">Null where it was not measured.</param>
public sealed record RankedModel(
    int Rank, string Stage, IReadOnlyDictionary<string, JsonElement> Variables, bool Pareto, ModelFigures Figures,
    RankedSpeed? Speed = null);

/// <summary>How many times as fast as the dense model it is, timed in turns with it.</summary>
/// <param name="Prefill">Of a language model: a prompt at once.</param>
/// <param name="Decode">Of a language model: one token after the other.</param>
/// <param name="Pareto">Whether no other model is both as fast and as good, and better in one of the two.</param>
/// <param name="Images">Of a classifier: a batch of images.</param>
public sealed record RankedSpeed(Spread? Prefill, Spread? Decode, bool Pareto, Spread? Images = null);

/// <summary>What a model's size is counted in.</summary>
public enum SizeMeasure
{
    Parameters,
    Nonzero,
    Bytes,
}

/// <summary>Which speed a model is judged by.</summary>
public enum SpeedMeasure
{
    [Description("One token after the other, with kept keys and values")]
    Decode,

    [Description("A prompt at once")]
    Prefill,

    [Description("A batch of images; classifiers have no other")]
    Images,
}

/// <summary>A <see cref="Measurement"/> inside a comparison, which states the protocol once.</summary>
public sealed record ModelFigures(
    double? Perplexity, long Parameters, long Nonzero, long Bytes, double? Flops = null, double? Accuracy = null);
