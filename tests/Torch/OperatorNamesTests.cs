using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using TorchSharp.Interop;

namespace Pipelines.Tests.Torch;

public sealed partial class OperatorNamesTests
{
    // Asked for with Exists first: LibTorch 1.13 does not have it.
    private static readonly string[] Newer = ["scaled_dot_product_attention"];

    [Fact]
    public void Names_only_operators_that_LibTorch_has()
    {
        var sources = Directory.GetFiles(Path.Combine(Root(), "torch"), "*.cs", SearchOption.AllDirectories);

        var names = sources.SelectMany(path => Name().Matches(File.ReadAllText(path)))
            .Select(match => match.Groups["name"].Value).ToHashSet();

        Assert.True(names.Count > 250, $"found {names.Count} names only");
        var unknown = names.Except(Newer).Where(name => !Aten.Exists(name)).ToList();
        Assert.Equal([], unknown);
    }

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(here, "../../.."));

    [GeneratedRegex("""Aten\.(Call|Change)\w*\(\s*"(?<name>[^"]+)""")]
    private static partial Regex Name();
}
