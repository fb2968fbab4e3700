using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using static TorchSharp.torch;

namespace TorchSharp.Interop;

/// <summary>
/// Calls operators of LibTorch by schema name: <c>"add.Tensor"</c> is <c>aten::add</c>, overload <c>Tensor</c>.
/// Arguments may stop early; the schema's defaults fill the rest. Each name is looked up in the dispatcher once.
/// </summary>
internal static unsafe class Aten
{
    private const int MostResults = 6;
    private const int ScratchOnStack = 128;

    private static readonly ConcurrentDictionary<string, nint> Operators = new();

    /// <summary>An operator with one tensor as its result.</summary>
    public static Tensor Call(string name, params ReadOnlySpan<Arg> arguments)
    {
        NativeValue result;
        Invoke(name, arguments, &result, 1);
        return Own(result);
    }

    /// <summary>An operator that changes its first argument, and returns that object.</summary>
    public static Tensor Change(string name, params ReadOnlySpan<Arg> arguments)
    {
        NativeValue result;
        Invoke(name, arguments, &result, 1);
        LibTorch.pt_tensor_free(result.Pointer);
        return arguments[0].Tensor!;
    }

    public static (Tensor, Tensor) CallTwo(string name, params ReadOnlySpan<Arg> arguments)
    {
        var results = stackalloc NativeValue[2];
        Invoke(name, arguments, results, 2);
        return (Own(results[0]), Own(results[1]));
    }

    public static (Tensor, Tensor, Tensor) CallThree(string name, params ReadOnlySpan<Arg> arguments)
    {
        var results = stackalloc NativeValue[3];
        Invoke(name, arguments, results, 3);
        return (Own(results[0]), Own(results[1]), Own(results[2]));
    }

    public static (Tensor, Tensor, Tensor, Tensor) CallFour(string name, params ReadOnlySpan<Arg> arguments)
    {
        var results = stackalloc NativeValue[4];
        Invoke(name, arguments, results, 4);
        return (Own(results[0]), Own(results[1]), Own(results[2]), Own(results[3]));
    }

    public static Tensor[] CallList(string name, params ReadOnlySpan<Arg> arguments)
    {
        NativeValue result;
        Invoke(name, arguments, &result, 1);
        return OwnList(result);
    }

    public static bool CallBool(string name, params ReadOnlySpan<Arg> arguments)
    {
        NativeValue result;
        Invoke(name, arguments, &result, 1);
        return result.Integer != 0;
    }

    /// <summary>Any operator; results as <see cref="Tensor"/>, <c>Tensor[]</c>, long, double, bool or null.</summary>
    public static object?[] CallAny(string name, ReadOnlySpan<Arg> arguments)
    {
        var results = stackalloc NativeValue[MostResults];
        var found = new object?[Invoke(name, arguments, results, MostResults)];
        for (var i = 0; i < found.Length; i++)
        {
            found[i] = results[i].Kind switch
            {
                ValueKind.Tensor => Own(results[i]),
                ValueKind.TensorList => OwnList(results[i]),
                ValueKind.Int => results[i].Integer,
                ValueKind.Double => results[i].Real,
                ValueKind.Bool => results[i].Integer != 0,
                _ => null,
            };
        }

        return found;
    }

    /// <summary>Whether this LibTorch has the operator.</summary>
    public static bool Exists(string name) => Resolve(name) != 0;

    private static Tensor Own(NativeValue result) =>
        result.Kind == ValueKind.Tensor ? new Tensor(result.Pointer) : null!;

    private static Tensor[] OwnList(NativeValue result)
    {
        var handles = (nint*)result.Pointer;
        var tensors = new Tensor[result.Length];
        for (var i = 0; i < tensors.Length; i++)
            tensors[i] = handles[i] == 0 ? null! : new Tensor(handles[i]);
        LibTorch.pt_free(handles);
        return tensors;
    }

    [SkipLocalsInit]
    private static int Invoke(string name, ReadOnlySpan<Arg> arguments, NativeValue* results, int capacity)
    {
        var op = Resolve(name);
        if (op == 0)
            throw new TorchException($"{name}: LibTorch {__version__} has no such operator");

        var words = 0;
        foreach (ref readonly var argument in arguments)
            words += argument.Words;

        var values = stackalloc NativeValue[arguments.Length];
        Span<long> room = words <= ScratchOnStack ? stackalloc long[ScratchOnStack] : new long[words];
        int produced;
        fixed (long* scratch = room)
        {
            var next = scratch;
            for (var i = 0; i < arguments.Length; i++)
                next += arguments[i].Write(values + i, next);
            produced = LibTorch.pt_call(op, values, arguments.Length, results, capacity);
        }

        if (produced < 0)
            throw Failure(name, arguments);
        // The handles were raw while C++ ran: hold their owners until here.
        foreach (ref readonly var argument in arguments)
            argument.KeepAlive();
        return produced;
    }

    private static Exception Failure(string name, ReadOnlySpan<Arg> arguments)
    {
        var tensors = new List<Tensor?>();
        foreach (ref readonly var argument in arguments)
            tensors.AddRange(argument.Tensors);
        return TorchException.Last(Split(name).Name, tensors);
    }

    // Zero, once and for all, for an operator that this LibTorch lacks.
    private static nint Resolve(string name) =>
        Operators.TryGetValue(name, out var known) ? known : Operators[name] = Find(name);

    private static nint Find(string name)
    {
        var (qualified, overload) = Split(name);
        fixed (byte* first = Encoding.UTF8.GetBytes(qualified + '\0'))
        fixed (byte* second = Encoding.UTF8.GetBytes(overload + '\0'))
            return LibTorch.pt_operator(first, second);
    }

    private static (string Name, string Overload) Split(string name)
    {
        var qualified = name.Contains("::", StringComparison.Ordinal) ? name : "aten::" + name;
        var dot = qualified.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? (qualified, "") : (qualified[..dot], qualified[(dot + 1)..]);
    }
}
