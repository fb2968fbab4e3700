using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchSharp.Interop;

/// <summary>
/// LibTorch refused an operation. The message names the operator, the shapes and dtypes of its tensors, and the reason.
/// TorchSharp throws the base class, so catch <see cref="ExternalException"/>.
/// </summary>
public sealed class TorchException : ExternalException
{
    public TorchException()
    {
    }

    public TorchException(string message)
        : base(message)
    {
    }

    public TorchException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Throws for the last error on this thread, or the C# exception that a callback threw there.</summary>
    internal static unsafe Exception Last(string operation, IEnumerable<Tensor?> tensors)
    {
        if (LibTorch.pt_error_thrown() is not 0 and var handle)
        {
            var thrown = (Exception)GCHandle.FromIntPtr(handle).Target!;
            LibTorch.pt_error_forget();
            ExceptionDispatchInfo.Throw(thrown);
        }

        var reason = Marshal.PtrToStringUTF8((nint)LibTorch.pt_error());
        var shapes = string.Join(" x ", tensors.Where(tensor => tensor is { IsInvalid: false }).Select(Describe));
        return new TorchException($"{operation}: {shapes}{(shapes == "" ? "" : ": ")}{reason}");
    }

    internal static void Check(int status, string operation, params IEnumerable<Tensor?> tensors)
    {
        if (status < 0)
            throw Last(operation, tensors);
    }

    internal static nint Check(nint result, string operation, params IEnumerable<Tensor?> tensors) =>
        result != 0 ? result : throw Last(operation, tensors);

    private static string Describe(Tensor? tensor) => $"[{string.Join(',', tensor!.shape)}] {tensor.dtype.Name()}";
}
