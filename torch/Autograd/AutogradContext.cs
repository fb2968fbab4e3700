using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static partial class autograd
    {
        /// <summary>What a function's forward hands to its backward. It lives as long as the graph.</summary>
        public sealed class AutogradContext
        {
            private readonly Dictionary<string, object?> data = [];
            private nint saved;

            internal AutogradContext(object?[] arguments, Func<AutogradContext, List<Tensor>, List<Tensor?>> backward)
            {
                IsTensor = [.. arguments.Select(argument => argument is Tensor { IsInvalid: false })];
                Backward = backward;
            }

            public bool MaterializeGrads { get; private set; } = true;

            internal bool[] IsTensor { get; }

            internal Func<AutogradContext, List<Tensor>, List<Tensor?>> Backward { get; }

            internal List<Tensor?> ToSave { get; private set; } = [];

            internal List<Tensor> Dirty { get; private set; } = [];

            internal List<Tensor> Constant { get; private set; } = [];

            /// <summary>Call at most once, from forward. The graph owns what is saved.</summary>
            public void save_for_backward(List<Tensor> tensors) => ToSave = [.. tensors];

            /// <summary>Saves anything but tensors: one kept here could hold the graph that holds it.</summary>
            /// <exception cref="ArgumentException">The value is a tensor.</exception>
            public void save_data(string key, object? value) => data[key] = value is Tensor
                ? throw new ArgumentException($"'{key}' is a tensor: use {nameof(save_for_backward)}")
                : value;

            public object? get_data(string key) => data.GetValueOrDefault(key);

            /// <summary>Inputs that forward changed in place.</summary>
            public void mark_dirty(List<Tensor> tensors) => Dirty = [.. tensors];

            /// <summary>Outputs that carry no gradient.</summary>
            public void mark_non_differentiable(List<Tensor> tensors) => Constant = [.. tensors];

            /// <summary>Whether backward gets zeros, the default, or null for outputs that nothing used.</summary>
            public void set_materialize_grads(bool value) => MaterializeGrads = value;

            /// <summary>Only from backward. Throws where a saved tensor was changed in place since.</summary>
            public unsafe List<Tensor> get_saved_variables()
            {
                if (saved == 0)
                    throw new InvalidOperationException("saved variables can be read in backward only");
                var count = LibTorch.pt_saved_count(saved);
                TorchException.Check((int)count, nameof(get_saved_variables));
                var handles = new nint[count];
                fixed (nint* first = handles)
                    TorchException.Check(LibTorch.pt_saved(saved, first), nameof(get_saved_variables));
                return [.. handles.Select(handle => handle == 0 ? null! : new Tensor(handle))];
            }

            /// <summary>Runs backward; one gradient, or null, for each tensor that forward was given.</summary>
            internal List<Tensor?> Run(nint savedVariables, List<Tensor> gradients)
            {
                saved = savedVariables;
                try
                {
                    var results = Backward(this, gradients);
                    if (results.Count != IsTensor.Length)
                    {
                        throw new InvalidOperationException(
                            $"backward returned {results.Count} gradients for {IsTensor.Length} arguments of forward");
                    }

                    return [.. results.Where((_, i) => IsTensor[i])];
                }
                finally
                {
                    saved = 0;
                }
            }

            // The graph owns them from here on; a reference from this side would keep their memory.
            internal void ForgetTensors()
            {
                ToSave = [];
                Dirty = [];
                Constant = [];
            }
        }
    }
}
