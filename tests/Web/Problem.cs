using System.Net;
using System.Text.Json;

namespace Pipelines.Tests.Web;

/// <summary>How a request looks that was refused.</summary>
internal static class Problem
{
    /// <summary>It has this status, and problem details that say all of <paramref name="said"/> and nothing of the inside.</summary>
    public static async Task IsAsync(HttpResponseMessage response, HttpStatusCode status, params string[] said)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonElement.Parse(text);
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        Assert.All(said, part => Assert.Contains(part, problem.GetProperty("detail").GetString(), StringComparison.Ordinal));
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
        Assert.DoesNotContain(TestServer.Token, text, StringComparison.Ordinal);
    }
}
