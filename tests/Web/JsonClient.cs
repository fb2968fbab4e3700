using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Pipelines.Tests.Web;

/// <summary>Asks as a program would that knows nothing but the address.</summary>
internal static class JsonClient
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<JsonElement> AskAsync(this HttpClient client, string address)
    {
        using var response = await client.GetAsync(address, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, $"{address}: {(int)response.StatusCode} {text}");
        return JsonElement.Parse(text);
    }

    public static Task<HttpResponseMessage> SendAsync(this HttpClient client, string address, string json) =>
        client.PostAsync(new Uri(address, UriKind.Relative), new StringContent(json, Encoding.UTF8, "application/json"), Cancellation);

    public static async Task<JsonElement> AskAsync(this HttpClient client, string address, string json, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var response = await client.SendAsync(address, json);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == status, $"{address}: {(int)response.StatusCode} {text}");
        return JsonElement.Parse(text);
    }

    public static async Task PutAsync(this HttpClient client, string address, string json)
    {
        using var response = await client.PutAsync(
            new Uri(address, UriKind.Relative), new StringContent(json, Encoding.UTF8, "application/json"), Cancellation);
        Assert.True(response.IsSuccessStatusCode, $"{address}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Cancellation)}");
    }

    /// <summary>Starts a run of these stages.</summary>
    public static async Task<Guid> StartAsync(this HttpClient client, string stages, string name = "toy", string more = "")
    {
        var started = await client.AskAsync(
            "api/runs", $$"""{ "definition": { "name": "{{name}}", "stages": {{stages}} }{{more}} }""", HttpStatusCode.Created);
        return started.GetProperty("id").GetGuid();
    }

    public static async Task<ProblemAnswer> ReadAsync(this HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<ProblemAnswer>(Cancellation))!;

    public sealed record ProblemAnswer(string Detail, IReadOnlyList<FaultAnswer> Errors);

    public sealed record FaultAnswer(string? Stage, string? Field, string Message);

    /// <summary>The texts of this member of each item.</summary>
    public static IEnumerable<string?> All(this JsonElement list, string member) =>
        list.EnumerateArray().Select(item => item.GetProperty(member).ToString());
}
