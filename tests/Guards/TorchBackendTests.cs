using System.Text.RegularExpressions;

namespace Pipelines.Tests.Guards;

/// <summary>What is built with the TorchSharp package, which no test here can build, has all that is built without it.</summary>
public sealed partial class TorchBackendTests
{
    [Fact]
    public void Both_bindings_offer_the_same()
    {
        var own = Offered("Extensions.cs");

        Assert.NotEmpty(own);
        Assert.Equal(own, Offered("Extensions.TorchSharp.cs"));
    }

    private static IEnumerable<string> Offered(string file) => PublicMember().Matches(File.ReadAllText(Repository.File("torch", file)))
        .Select(match => match.Groups[1].Value.ReplaceLineEndings(" "))
        .Order(StringComparer.Ordinal);

    [GeneratedRegex(@"^    public static ([^=;{]*\))", RegexOptions.Multiline)]
    private static partial Regex PublicMember();
}
