using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Pipelines.Tests.Guards;

/// <summary>Which methods a method comes to, read from its compiled code.</summary>
internal static class Calls
{
    private static readonly Dictionary<int, OpCode> Codes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => (int)(ushort)code.Value);

    /// <summary>Whether it calls the other one, itself or through methods of its own assembly; which implementation of a virtual one is called is not known.</summary>
    public static bool Reach(MethodBase from, MethodBase target)
    {
        var (seen, open) = (new HashSet<int>(), new Stack<MethodBase>([from]));
        while (open.TryPop(out var method))
        {
            if (method.Module == target.Module && method.MetadataToken == target.MetadataToken)
                return true;
            if (method.Module == from.Module && method.DeclaringType is { IsArray: false } && seen.Add(method.MetadataToken))
            {
                foreach (var next in Of(from.Module.ResolveMethod(method.MetadataToken)!))
                    open.Push(next);
            }
        }

        return false;
    }

    /// <summary>What is called, created or made into a delegate in it; of what awaits or yields, in the machine that it became.</summary>
    private static IEnumerable<MethodBase> Of(MethodBase method)
    {
        if (method.GetCustomAttribute<StateMachineAttribute>() is { } machine)
            yield return machine.StateMachineType.GetMethod("MoveNext", BindingFlags.Instance | BindingFlags.NonPublic)!;
        var code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        var ofType = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < code.Length;)
        {
            var operation = Codes[code[at] == 0xFE ? 0xFE00 | code[at + 1] : code[at]];
            at += operation.Size;
            if (operation.OperandType == OperandType.InlineMethod)
                yield return method.Module.ResolveMethod(BitConverter.ToInt32(code, at), ofType, ofMethod)!;
            at += Length(operation.OperandType, code, at);
        }
    }

    private static int Length(OperandType operand, byte[] code, int at) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
        _ => 4,
    };
}
