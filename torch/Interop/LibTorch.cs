using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace TorchSharp.Interop;

/// <summary>The C functions of <c>native/</c>. Those that only read a field skip the GC transition.</summary>
internal static unsafe partial class LibTorch
{
    private const string Library = "pipelines_torch";

    [LibraryImport(Library)] public static partial byte* pt_version();
    [LibraryImport(Library)] public static partial byte* pt_error();
    [LibraryImport(Library)] public static partial nint pt_error_thrown();
    [LibraryImport(Library)] public static partial void pt_error_forget();
    [LibraryImport(Library)] public static partial nint pt_operator(byte* name, byte* overload);
    [LibraryImport(Library)]
    public static partial int pt_call(nint op, NativeValue* arguments, int count, NativeValue* results, int capacity);
    [LibraryImport(Library)] public static partial void pt_free(void* memory);

    [LibraryImport(Library)] public static partial void pt_tensor_free(nint tensor);
    [LibraryImport(Library)] public static partial nint pt_tensor_share(nint tensor);
    [LibraryImport(Library)]
    public static partial nint pt_tensor_from_memory(
        void* data, long* sizes, int dimensions, int dtype, delegate* unmanaged<nint, void> release, nint state);
    [LibraryImport(Library), SuppressGCTransition] public static partial int pt_tensor_sizes(nint tensor, long** sizes);
    [LibraryImport(Library), SuppressGCTransition]
    public static partial int pt_tensor_strides(nint tensor, long** strides);
    [LibraryImport(Library), SuppressGCTransition] public static partial long pt_tensor_numel(nint tensor);
    [LibraryImport(Library), SuppressGCTransition] public static partial int pt_tensor_dtype(nint tensor);
    [LibraryImport(Library), SuppressGCTransition] public static partial int pt_tensor_element_size(nint tensor);
    [LibraryImport(Library), SuppressGCTransition]
    public static partial void pt_tensor_device(nint tensor, int* type, int* index);
    [LibraryImport(Library), SuppressGCTransition] public static partial long pt_tensor_storage_offset(nint tensor);
    [LibraryImport(Library), SuppressGCTransition]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool pt_tensor_is_contiguous(nint tensor);
    [LibraryImport(Library)] public static partial void* pt_tensor_data(nint tensor);

    [LibraryImport(Library)] public static partial int pt_cuda_count();
    [LibraryImport(Library)] public static partial int pt_cuda_synchronize(long device);
    [LibraryImport(Library)] public static partial int pt_threads();
    [LibraryImport(Library)] public static partial int pt_set_threads(int count);
    [LibraryImport(Library)] public static partial int pt_swap_own_threads(int count);
    [LibraryImport(Library)] public static partial int pt_interop_threads();
    [LibraryImport(Library)] public static partial int pt_set_interop_threads(int count);

    [LibraryImport(Library)] public static partial int pt_manual_seed(ulong seed);
    [LibraryImport(Library)]
    public static partial nint pt_generator(int deviceType, int deviceIndex, [MarshalAs(UnmanagedType.U1)] bool shared);
    [LibraryImport(Library)] public static partial void pt_generator_free(nint generator);
    [LibraryImport(Library)] public static partial int pt_generator_set_seed(nint generator, ulong seed);
    [LibraryImport(Library)] public static partial ulong pt_generator_seed(nint generator);
    [LibraryImport(Library)] public static partial nint pt_generator_state(nint generator);
    [LibraryImport(Library)] public static partial int pt_generator_set_state(nint generator, nint state);

    [LibraryImport(Library), SuppressGCTransition]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool pt_requires_grad(nint tensor);
    [LibraryImport(Library)]
    public static partial int pt_set_requires_grad(nint tensor, [MarshalAs(UnmanagedType.U1)] bool value);
    [LibraryImport(Library)]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool pt_is_leaf(nint tensor);
    [LibraryImport(Library)] public static partial int pt_retain_grad(nint tensor);
    [LibraryImport(Library)] public static partial nint pt_gradient(nint tensor);
    [LibraryImport(Library)] public static partial int pt_set_gradient(nint tensor, nint gradient);
    [LibraryImport(Library)]
    public static partial int pt_backward(
        nint* tensors, long count, nint* gradients, long gradientCount,
        [MarshalAs(UnmanagedType.U1)] bool retainGraph, [MarshalAs(UnmanagedType.U1)] bool createGraph,
        nint* inputs, long inputCount);
    [LibraryImport(Library)]
    public static partial int pt_grad(
        nint* outputs, long count, nint* inputs, long inputCount, nint* gradients, long gradientCount,
        [MarshalAs(UnmanagedType.U1)] bool retainGraph, [MarshalAs(UnmanagedType.U1)] bool createGraph,
        [MarshalAs(UnmanagedType.U1)] bool allowUnused, nint* results);
    [LibraryImport(Library), SuppressGCTransition]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool pt_grad_mode();
    [LibraryImport(Library), SuppressGCTransition]
    public static partial void pt_set_grad_mode([MarshalAs(UnmanagedType.U1)] bool enabled);
    [LibraryImport(Library)] public static partial nint pt_inference_mode([MarshalAs(UnmanagedType.U1)] bool enabled);
    [LibraryImport(Library)] public static partial void pt_inference_mode_end(nint mode);
    [LibraryImport(Library)]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool pt_is_inference_mode();
    [LibraryImport(Library)]
    public static partial int pt_apply_function(
        nint context, delegate* unmanaged<nint, nint, nint*, int, nint*, int, nint> run,
        delegate* unmanaged<nint, void> free, NativeTensors* inputs, NativeTensors* outputs, NativeTensors* saved,
        NativeTensors* dirty, NativeTensors* constant, [MarshalAs(UnmanagedType.U1)] bool materialize, nint* results);
    [LibraryImport(Library)] public static partial long pt_saved_count(nint context);
    [LibraryImport(Library)] public static partial int pt_saved(nint context, nint* results);
}

/// <summary>A list of tensor handles, as <c>pt_tensors</c>.</summary>
internal unsafe struct NativeTensors
{
    public nint* Items;
    public long Count;
}
