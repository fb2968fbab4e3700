using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Pipelines.Tests.Fixtures;
using Pipelines.Tests.Web;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace Pipelines.Tests.Containers;

/// <summary>What can be known of docker-compose.yml and the Dockerfile without an engine that runs them.</summary>
public sealed partial class ComposeTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>
{
    private static readonly string[] Programs = ["server", "worker-cpu", "worker-gpu"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Has_a_database_a_server_and_a_worker_for_each_kind_of_device()
    {
        var services = Map(Compose(), "services");

        Assert.Equal(["postgres", .. Programs], services.Keys.Select(name => $"{name}"));
        Assert.Equal(["worker", "--serve", "cpu"], List(Map(services, "worker-cpu"), "command").Take(3));
        Assert.Equal(["worker", "--serve", "gpu"], List(Map(services, "worker-gpu"), "command").Take(3));
        Assert.Equal(["gpu"], List(Map(services, "worker-gpu"), "profiles"));
        Assert.Equal("gpu", Text(Map(Map(services, "worker-gpu"), "build"), "target"));
        Assert.Contains("LIBTORCH_URL", Map(Map(Map(services, "worker-gpu"), "build"), "args").Keys);
        Assert.Equal("cpu", Text(Map(Map(services, "worker-cpu"), "build"), "target"));
    }

    [Fact]
    public void Everything_is_asked_whether_it_lives_and_waits_for_what_it_needs()
    {
        var services = Map(Compose(), "services");

        Assert.All(services.Values, service =>
        {
            var check = Map((Dictionary<object, object>)service, "healthcheck");
            Assert.NotEmpty(List(check, "test"));
            Assert.All(["interval", "timeout", "retries", "start_period"], name => Assert.Contains(name, check.Keys));
        });
        Assert.All(Programs, name => Assert.All(
            Map(Map(services, name), "depends_on").Values,
            need => Assert.Equal("service_healthy", Text((Dictionary<object, object>)need, "condition"))));
        Assert.All(["worker-cpu", "worker-gpu"], name => Assert.Contains("server", Map(Map(services, name), "depends_on").Keys));
    }

    [Fact]
    public void What_must_last_lies_in_volumes_that_are_declared()
    {
        var compose = Compose();
        var declared = Map(compose, "volumes").Keys.Select(name => $"{name}").ToArray();
        var used = Map(compose, "services").Values.SelectMany(service => List((Dictionary<object, object>)service, "volumes"))
            .Where(volume => !volume.StartsWith('.')).Select(volume => volume.Split(':')[0]);

        Assert.Equal(declared.Order(), used.Order());
        Assert.Contains("database:/var/lib/postgresql/data", List(Map(Map(compose, "services"), "postgres"), "volumes"));
        Assert.Contains("artifacts:/data", List(Map(Map(compose, "services"), "server"), "volumes"));
    }

    [Fact]
    public void No_secret_is_written_down_and_none_has_a_default()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "docker-compose.yml"));
        var services = Map(Compose(), "services");
        var secrets = services.Values.SelectMany(service => Map((Dictionary<object, object>)service, "environment"))
            .Where(variable => Secret().IsMatch($"{variable.Key}={variable.Value}")).Select(variable => $"{variable.Value}").ToArray();

        Assert.Equal(7, secrets.Length);
        Assert.All(secrets, value => Assert.Matches(@"\$\{(POSTGRES_PASSWORD|PIPELINES_TOKEN):\?[^}]+\}$", value));
        Assert.DoesNotMatch(Assigned(), Variable().Replace(text, ""));
        Assert.DoesNotMatch("(?i)(ENV|ARG).*(TOKEN|PASSWORD)", Dockerfile());
        Assert.Contains("token", File.ReadAllLines(Path.Combine(Repository.Root, ".dockerignore")));
    }

    [Fact]
    public void The_server_is_not_open_to_other_machines() =>
        Assert.Equal(["127.0.0.1:5080:5080"], List(Map(Map(Compose(), "services"), "server"), "ports"));

    [Fact]
    public void Images_are_pinned_to_a_release()
    {
        var stages = From().Matches(Dockerfile()).Select(match => match.Groups[2].Value).ToHashSet();
        var bases = From().Matches(Dockerfile()).Select(match => match.Groups[1].Value).Where(image => !stages.Contains(image)).ToArray();
        var services = Map(Compose(), "services");

        Assert.Equal(3, bases.Length);
        Assert.All([.. bases, Text(Map(services, "postgres"), "image")], image => Assert.Matches(@":[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z]+)?$", image));
        Assert.All(Programs, name => Assert.EndsWith(":local", Text(Map(services, name), "image"), StringComparison.Ordinal));
    }

    [Fact]
    public void An_image_is_set_up_by_the_script_that_sets_machines_up()
    {
        var file = Dockerfile();
        var script = File.ReadAllText(Path.Combine(Repository.Root, "pipelines"));
        var packages = Package().Matches(script).Select(match => match.Groups[1].Value).ToArray();

        Assert.Contains("libtorch-dev", packages);
        Assert.Equal(2, file.Split("RUN ./pipelines build").Length - 1);
        Assert.DoesNotContain("apt-get", file, StringComparison.Ordinal);
        Assert.All(packages, package => Assert.DoesNotMatch($@"(?m)^[^#\n]*\s{Regex.Escape(package)}(\s|$)", file));
        Assert.Contains("USER pipelines", file, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_servers_health_check_holds_for_a_server_and_not_for_none()
    {
        var test = List(Map(Map(Map(Compose(), "services"), "server"), "healthcheck"), "test");
        Assert.Equal(["CMD", "bash", "-c"], test.Take(3));
        Uri address;
        await using (var server = await TestServer.StartAsync(fresh))
        {
            address = server.Address;
            Assert.Equal(0, await RunAsync(test[3], address));
        }

        Assert.NotEqual(0, await RunAsync(test[3], address));
    }

    private static async Task<int> RunAsync(string script, Uri address)
    {
        var here = script.Replace("/5080", string.Create(CultureInfo.InvariantCulture, $"/{address.Port}"), StringComparison.Ordinal);
        Assert.NotEqual(script, here);
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-c", here]) { RedirectStandardError = true })!;
        await bash.WaitForExitAsync(Cancellation);
        return bash.ExitCode;
    }

    private static string Dockerfile() => File.ReadAllText(Path.Combine(Repository.Root, "Dockerfile"));

    private static Dictionary<object, object> Compose()
    {
        using var text = File.OpenText(Path.Combine(Repository.Root, "docker-compose.yml"));
        var parser = new MergingParser(new Parser(text));
        parser.Consume<StreamStart>();
        return new DeserializerBuilder().Build().Deserialize<Dictionary<object, object>>(parser);
    }

    private static Dictionary<object, object> Map(Dictionary<object, object> at, string name) =>
        Assert.IsType<Dictionary<object, object>>(at[name]);

    private static List<string> List(Dictionary<object, object> at, string name) => [.. ((List<object>)at[name]).Select(item => $"{item}")];

    private static string Text(Dictionary<object, object> at, string name) => Assert.IsType<string>(at[name]);

    [GeneratedRegex("(?i)(password|token)")]
    private static partial Regex Secret();

    [GeneratedRegex(@"(?im)^[^#\n]*(?:password|token)[ \t]*[:=][ \t]*\S")]
    private static partial Regex Assigned();

    [GeneratedRegex(@"\$\{[^}]*\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"(?m)^FROM (\S+) AS (\S+)$")]
    private static partial Regex From();

    [GeneratedRegex(@"(?m)^/usr/\S+ (\S+)$")]
    private static partial Regex Package();
}
