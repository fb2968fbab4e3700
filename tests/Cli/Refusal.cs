namespace Pipelines.Tests.Cli;

/// <summary>How a command looks that was refused.</summary>
internal static class Refusal
{
    /// <summary>It ended with 2 and one message that says all of <paramref name="said"/>, and nothing of the inside.</summary>
    public static void Is(Ended ended, params string[] said)
    {
        Assert.All(said, part => Assert.Contains(part, ended.Message));
        Assert.Equal(2, ended.Code);
        Assert.Equal("", ended.Output);
        Assert.Equal(2, ended.Message.Split("error:").Length);
        Assert.DoesNotContain("   at ", ended.Errors);
        Assert.DoesNotContain("Exception", ended.Errors);
        Assert.DoesNotContain("Pipelines.", ended.Errors);
        Assert.DoesNotContain('\u001b', ended.Errors);
    }
}
