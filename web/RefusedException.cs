namespace Pipelines.Web;

/// <summary>A request that is answered with this status and message.</summary>
internal sealed class RefusedException(int status, string message) : Exception(message)
{
    public int Status => status;
}

/// <summary>A request with a workflow that cannot run.</summary>
internal sealed class FaultyWorkflowException(IReadOnlyList<Fault> faults)
    : Exception(string.Join("; ", faults.Take(MostSaid).Select(fault => fault.Message)))
{
    private const int MostSaid = 5;

    public IReadOnlyList<Fault> Faults => faults;
}
