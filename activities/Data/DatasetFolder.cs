using System.ComponentModel;
using System.Text;
using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>Which windows of a text's tokens a dataset means.</summary>
/// <param name="Origin">The name of the file it came from, for messages.</param>
/// <param name="Sequences">How many windows; null for all that fit.</param>
/// <param name="Length">Tokens in a window. Windows do not overlap; the remainder at the end is dropped.</param>
/// <param name="Order">Which windows, if not all.</param>
/// <param name="Seed">Of the random choice.</param>
public sealed record TokenWindows(string Origin, int? Sequences, int Length, WindowOrder Order, long Seed);

public enum WindowOrder
{
    [Description("The first windows of the text, in its order")]
    First,

    [Description("Windows drawn without repetition, by the seed")]
    Random,
}

/// <summary>A dataset artifact: <c>text.txt</c> (UTF-8, line ends as they were) and <c>windows.json</c>.</summary>
public static class DatasetFolder
{
    private const string TextFile = "text.txt";
    private const string WindowsFile = "windows.json";

    public static async Task<Dataset> SaveAsync(
        IArtifacts artifacts, byte[] utf8, TokenWindows windows, CancellationToken cancellation)
    {
        await using var draft = artifacts.Begin();
        await File.WriteAllBytesAsync(Path.Combine(draft.Folder, TextFile), utf8, cancellation);
        await File.WriteAllTextAsync(Path.Combine(draft.Folder, WindowsFile), Json.Pretty(windows), cancellation);
        return new Dataset(await draft.CommitAsync(cancellation));
    }

    public static async Task<(string Text, TokenWindows Windows)> OpenAsync(
        IArtifacts artifacts, Dataset dataset, CancellationToken cancellation)
    {
        var folder = await artifacts.OpenAsync(dataset.Hash, cancellation);
        var text = await File.ReadAllTextAsync(Path.Combine(folder, TextFile), new UTF8Encoding(false), cancellation);
        return (text, Json.Read<TokenWindows>(await File.ReadAllTextAsync(Path.Combine(folder, WindowsFile), cancellation)));
    }

    /// <summary>
    /// The first token of each window that is meant, for a text of <paramref name="tokens"/> tokens.
    /// </summary>
    /// <exception cref="StageException">The text is too short.</exception>
    public static long[] Starts(TokenWindows windows, long tokens)
    {
        var fit = tokens / windows.Length;
        var wanted = windows.Sequences ?? Math.Max(fit, 1);
        if (fit < wanted)
        {
            throw new StageException(
                $"{windows.Origin} has {tokens} tokens, which is {fit} sequences of {windows.Length}: expected at least {wanted}");
        }

        var order = Enumerable.Range(0, (int)fit).ToArray();
        if (windows.Order == WindowOrder.Random)
            new Random((int)(windows.Seed & int.MaxValue)).Shuffle(order);
        return [.. order.Take((int)wanted).Select(window => (long)window * windows.Length)];
    }
}
