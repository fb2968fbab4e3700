using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>LibTorch's version, as <c>1.13.0</c>.</summary>
    public static unsafe string __version__ =>
        System.Runtime.InteropServices.Marshal.PtrToStringUTF8((nint)LibTorch.pt_version())!;

    /// <summary>Threads that one operator may use.</summary>
    public static int get_num_threads() => LibTorch.pt_threads();

    /// <summary>Sets it for the process: operators on every thread keep to it from their next call on.</summary>
    public static void set_num_threads(int num) =>
        TorchException.Check(LibTorch.pt_set_threads(num), nameof(set_num_threads));

    public static int get_num_interop_threads() => LibTorch.pt_interop_threads();

    /// <summary>Threads for operators that run beside each other. Only before the first of them runs.</summary>
    public static void set_num_interop_threads(int num) =>
        TorchException.Check(LibTorch.pt_set_interop_threads(num), nameof(set_num_interop_threads));
}
