using System.ComponentModel;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Pipelines.Workflows;

/// <summary>Every kind of stage that this program can run. Registered by hand; nothing is scanned for.</summary>
public sealed class Catalog
{
    private readonly SortedDictionary<string, CatalogEntry> entries = new(StringComparer.Ordinal);
    private readonly List<Type> explained = [];

    public IReadOnlyCollection<CatalogEntry> Entries => entries.Values;

    /// <exception cref="ArgumentException">Another activity has this kind.</exception>
    public Catalog Add<TInputs, TParameters, TOutputs>(Activity<TInputs, TParameters, TOutputs> activity)
        where TInputs : class
        where TParameters : class
        where TOutputs : class
    {
        var entry = new CatalogEntry(
            activity.Kind,
            activity.Version,
            activity.GetType().GetCustomAttribute<DescriptionAttribute>()?.Description ?? "",
            Port.Of<TInputs>(),
            Port.Of<TOutputs>(),
            ParameterSchema.Of<TParameters>(),
            ParameterSchema.Of<TOutputs>(),
            json => ParameterSchema.Check<TParameters>(json),
            json => activity.Source(Json.Read<TParameters>(json)),
            async (inputs, parameters, stage, cancellation) =>
            {
                try
                {
                    return Json.Write(await activity.RunAsync(
                        Json.Read<TInputs>(inputs), Json.Read<TParameters>(parameters), stage, cancellation));
                }
                catch (Exception error) when (explained.Exists(type => type.IsInstanceOfType(error)))
                {
                    throw new StageException(error.Message, error);
                }
            });
        if (!entries.TryAdd(entry.Kind, entry))
            throw new ArgumentException($"two activities have the kind '{entry.Kind}'");
        return this;
    }

    /// <summary>Errors of this type speak to the user: a stage that ends with one fails with its message and nothing else.</summary>
    public Catalog Explain<TException>()
        where TException : Exception
    {
        explained.Add(typeof(TException));
        return this;
    }

    public CatalogEntry? Find(string kind) => entries.GetValueOrDefault(kind);
}

/// <summary>An activity with its types erased to JSON.</summary>
/// <param name="Parameters">JSON schema of the form, with the defaults.</param>
/// <param name="Results">JSON schema of what it puts out.</param>
/// <param name="Check">What is wrong with these parameters, if anything, and the parameters with their defaults filled in.</param>
/// <param name="Source"><see cref="Activity{TInputs,TParameters,TOutputs}.Source"/>.</param>
public sealed record CatalogEntry(
    string Kind,
    int Version,
    string Description,
    IReadOnlyList<Port> Inputs,
    IReadOnlyList<Port> Outputs,
    JsonNode Parameters,
    JsonNode Results,
    Func<JsonElement, CheckedParameters> Check,
    Func<JsonElement, string?> Source,
    Func<JsonElement, JsonElement, StageContext, CancellationToken, Task<JsonElement>> Run)
{
    /// <summary>The part of the kind before its first dot: <c>prune</c>.</summary>
    public string Family => Kind.Split('.')[0];
}

/// <param name="Complete">The parameters with every default written out; meaningless when there are errors.</param>
public sealed record CheckedParameters(JsonElement Complete, IReadOnlyList<string> Errors);

/// <summary>One property of an activity's inputs or outputs. An edge joins ports of equal type.</summary>
/// <param name="Type">
/// The property type's name in camel case: <c>checkpoint</c>, <c>double</c>; <c>checkpoint[]</c> for a list of
/// <see cref="Branch{T}"/>.
/// </param>
/// <param name="Optional">Whether an input may stay unconnected (its property is nullable).</param>
public sealed record Port(string Name, string Type, bool Optional)
{
    /// <summary>Whether it takes many values.</summary>
    [JsonIgnore]
    public bool IsList => Type.EndsWith("[]", StringComparison.Ordinal);

    /// <summary>The type of one of them.</summary>
    [JsonIgnore]
    public string ItemType => IsList ? Type[..^2] : Type;

    /// <summary>The ports of a positional record, in its order.</summary>
    public static IReadOnlyList<Port> Of<T>()
    {
        var nullability = new NullabilityInfoContext();
        return
        [
            .. typeof(T).GetConstructors()[0].GetParameters().Select(parameter => new Port(
                JsonNamingPolicy.CamelCase.ConvertName(parameter.Name!),
                TypeName(parameter.ParameterType),
                nullability.Create(parameter).ReadState == NullabilityState.Nullable)),
        ];
    }

    private static string TypeName(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)
            && type.GetGenericArguments()[0] is { IsGenericType: true } item && item.GetGenericTypeDefinition() == typeof(Branch<>)
            ? TypeName(item.GetGenericArguments()[0]) + "[]"
            : JsonNamingPolicy.CamelCase.ConvertName((Nullable.GetUnderlyingType(type) ?? type).Name);
}
