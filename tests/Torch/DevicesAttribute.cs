using System.Reflection;
using TorchSharp;
using Xunit.Sdk;
using Xunit.v3;

namespace Pipelines.Tests.Torch;

/// <summary>Runs a theory once per device that this machine has: <c>void Test(string device)</c>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DevicesAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(
        MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        string[] devices = torch.cuda.is_available() ? ["cpu", "cuda"] : ["cpu"];
        return ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>(
            [.. devices.Select(device => new TheoryDataRow<string>(device))]);
    }

    public override bool SupportsDiscoveryEnumeration() => true;
}
