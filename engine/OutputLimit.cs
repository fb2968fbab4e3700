using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>How much a stage may output besides its artifacts: it is copied into the database, its cache and every look at the run.</summary>
internal static class OutputLimit
{
    /// <summary>Bytes of JSON.</summary>
    public const int Largest = 1_000_000;

    /// <exception cref="StageException">It is more.</exception>
    public static JsonElement Check(JsonElement outputs)
    {
        var size = JsonMarshal.GetRawUtf8Value(outputs).Length;
        return size <= Largest ? outputs : throw new StageException(string.Create(
            CultureInfo.InvariantCulture,
            $"its outputs are {size:N0} bytes of JSON, expected {Largest:N0} at most: what is large is written as an artifact, and named by its hash"));
    }
}
