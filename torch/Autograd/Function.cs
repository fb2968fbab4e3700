using System.Runtime.InteropServices;
using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static partial class autograd
    {
        /// <summary>
        /// An operation with a backward of its own, as a straight-through estimator needs. Derive from
        /// <see cref="SingleTensorFunction{T}"/> or <see cref="MultiTensorFunction{T}"/> and call <c>apply</c>.
        /// </summary>
        public abstract class Function<T>
            where T : Function<T>, new()
        {
            private static readonly T Instance = new();

            public abstract string Name { get; }

            internal static List<Tensor> Apply(object?[] vars)
            {
                var context = new AutogradContext(vars, Instance.Backward);
                List<Tensor> outputs;
                using (no_grad())
                    outputs = Instance.Forward(context, vars);
                return ManagedFunction.Join(context, vars.OfType<Tensor>().Where(v => !v.IsInvalid), outputs);
            }

            internal abstract List<Tensor> Forward(AutogradContext context, object?[] vars);

            internal abstract List<Tensor?> Backward(AutogradContext context, List<Tensor> gradients);
        }

        public abstract class SingleTensorFunction<T> : Function<T>
            where T : SingleTensorFunction<T>, new()
        {
            public static Tensor apply(params object?[] vars) => Apply(vars)[0];

            /// <summary>Runs without recording. <paramref name="vars"/> are what <c>apply</c> was given.</summary>
            public abstract Tensor forward(AutogradContext ctx, params object?[] vars);

            /// <summary>One gradient per argument of forward; null for those that have none.</summary>
            public abstract List<Tensor?> backward(AutogradContext ctx, Tensor grad_output);

            internal sealed override List<Tensor> Forward(AutogradContext context, object?[] vars) =>
                [forward(context, vars)];

            internal sealed override List<Tensor?> Backward(AutogradContext context, List<Tensor> gradients) =>
                backward(context, gradients[0]);
        }

        public abstract class MultiTensorFunction<T> : Function<T>
            where T : MultiTensorFunction<T>, new()
        {
            public static List<Tensor> apply(params object?[] vars) => Apply(vars);

            public abstract List<Tensor> forward(AutogradContext ctx, params object?[] vars);

            /// <summary>From one gradient per output, one per argument of forward; null for none.</summary>
            public abstract List<Tensor?> backward(AutogradContext ctx, List<Tensor> grad_outputs);

            internal sealed override List<Tensor> Forward(AutogradContext context, object?[] vars) =>
                forward(context, vars);

            internal sealed override List<Tensor?> Backward(AutogradContext context, List<Tensor> gradients) =>
                backward(context, gradients);
        }

        /// <summary>The way from LibTorch's graph into C# and back.</summary>
        private static unsafe class ManagedFunction
        {
            /// <summary>Makes the outputs results of the inputs, with the context's backward between them.</summary>
            public static List<Tensor> Join(
                AutogradContext context, IEnumerable<Tensor> inputs, List<Tensor> outputs)
            {
                var results = new nint[outputs.Count];
                var (given, made) = (Handles(inputs), Handles(outputs));
                var (kept, dirty) = (Handles(context.ToSave), Handles(context.Dirty));
                var constant = Handles(context.Constant);
                fixed (nint* a = given, b = made, c = kept, d = dirty, e = constant, first = results)
                {
                    var ins = new NativeTensors { Items = a, Count = given.Length };
                    var outs = new NativeTensors { Items = b, Count = made.Length };
                    var save = new NativeTensors { Items = c, Count = kept.Length };
                    var changed = new NativeTensors { Items = d, Count = dirty.Length };
                    var fixedOutputs = new NativeTensors { Items = e, Count = constant.Length };
                    var state = GCHandle.ToIntPtr(GCHandle.Alloc(context));
                    TorchException.Check(
                        LibTorch.pt_apply_function(
                            state, &Run, &Free, &ins, &outs, &save, &changed, &fixedOutputs, context.MaterializeGrads,
                            first),
                        "autograd function", inputs);
                }

                GC.KeepAlive((inputs, context.ToSave, context.Dirty, context.Constant));
                context.ForgetTensors();
                return [.. outputs.Select((output, i) => SameOrNew(output, results[i]))];
            }

            private static Tensor SameOrNew(Tensor output, nint result)
            {
                if (result != output.Handle)
                    return new Tensor(result);
                LibTorch.pt_tensor_free(result);
                return output;
            }

            // Null, or a handle of the exception: none may pass through C++ frames.
            [UnmanagedCallersOnly]
            private static nint Run(nint context, nint saved, nint* gradients, int count, nint* results, int inputs)
            {
                try
                {
                    using var scope = NewDisposeScope();
                    var given = new List<Tensor>(count);
                    for (var i = 0; i < count; i++)
                        given.Add(gradients[i] == 0 ? null! : new Tensor(LibTorch.pt_tensor_share(gradients[i])));
                    var found = ((AutogradContext)GCHandle.FromIntPtr(context).Target!).Run(saved, given);
                    for (var i = 0; i < inputs; i++)
                        results[i] = found[i] is { } gradient ? LibTorch.pt_tensor_share(gradient.Handle) : 0;
                    return 0;
                }
#pragma warning disable CA1031 // Every exception goes back to the caller of backward, unchanged.
                catch (Exception thrown)
#pragma warning restore CA1031
                {
                    return GCHandle.ToIntPtr(GCHandle.Alloc(thrown));
                }
            }

            [UnmanagedCallersOnly]
            private static void Free(nint handle) => GCHandle.FromIntPtr(handle).Free();
        }
    }
}
