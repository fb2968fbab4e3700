using System.Text.Json.Nodes;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Tests.Fixtures;

/// <summary>Reference numbers and models that lie beside the repository, in CI and for developers. Users do not have them.</summary>
internal static class Golden
{
    /// <summary>Of a file under golden/; the test is skipped where there is none.</summary>
    public static string Path(string name) => Shared($"golden/{name}");

    /// <summary>Of a file or folder under shared/.</summary>
    public static string Shared(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (Directory.Exists(System.IO.Path.Combine(folder.FullName, "shared", "golden")))
                return System.IO.Path.Combine(folder.FullName, "shared", name);
        }

        Assert.Skip("the reference numbers (a folder 'shared' beside the repository) are not on this machine");
        return name;
    }

    /// <summary>A list of data/tokens.json, int64: <c>calib</c> [32, 64], <c>eval</c> [8192], <c>prompt</c> [2, 48].</summary>
    public static Tensor Tokens(string name)
    {
        var rows = JsonNode.Parse(File.ReadAllText(Path("data/tokens.json")))![name]!.AsArray();
        if (rows[0] is not JsonArray)
            return tensor(rows.Select(token => token!.GetValue<long>()).ToArray());
        var flat = rows.SelectMany(row => row!.AsArray().Select(token => token!.GetValue<long>())).ToArray();
        return tensor(flat).view(rows.Count, -1);
    }

    /// <summary>Over the <c>eval</c> tokens, in windows of <paramref name="length"/>.</summary>
    public static double Perplexity(CausalLM model, int length, LinearHook? hook = null)
    {
        using var scope = NewDisposeScope();
        var tokens = Tokens("eval");
        var windows = tokens.shape[0] / length;
        var sum = model.NegativeLogLikelihood(tokens.narrow(0, 0, windows * length).view(windows, length), hook);
        return Math.Exp(sum / (windows * (length - 1)));
    }
}
