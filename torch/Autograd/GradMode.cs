using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Until disposed, operations on this thread record no graph.</summary>
    public static IDisposable no_grad() => new AutoGradMode(false);

    public static IDisposable enable_grad(bool enabled = true) => new AutoGradMode(enabled);

    public static IDisposable set_grad_enabled(bool mode = true) => new AutoGradMode(mode);

    public static bool is_grad_enabled() => AutoGradMode.IsEnabled;

    /// <summary>Faster than <see cref="no_grad"/>; what is made inside can never take part in a graph.</summary>
    public static IDisposable inference_mode(bool mode = true) => new InferenceMode(mode);

    public static bool is_inference_mode_enabled() => InferenceMode.IsEnabled;
}

/// <summary>Sets whether this thread records graphs; disposing restores what was before.</summary>
/// <remarks>
/// The mode is the thread's: an await between the two may come back on another, and would leave the first one in the mode for
/// whoever is next to run on it. That is an error where it happens, not where it is felt.
/// </remarks>
public sealed class AutoGradMode : IDisposable
{
    private readonly bool before = IsEnabled;
    private readonly int thread = Environment.CurrentManagedThreadId;

    public AutoGradMode(bool enabled) => LibTorch.pt_set_grad_mode(enabled);

    public static bool IsEnabled => LibTorch.pt_grad_mode();

    /// <exception cref="InvalidOperationException">This is another thread than the one that set it.</exception>
    public void Dispose()
    {
        if (Environment.CurrentManagedThreadId != thread)
            throw new InvalidOperationException("the grad mode was set on another thread: no await may come between");
        LibTorch.pt_set_grad_mode(before);
    }
}

public sealed class InferenceMode(bool mode) : IDisposable
{
    private nint guard = LibTorch.pt_inference_mode(mode);

    public static bool IsEnabled => LibTorch.pt_is_inference_mode();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref guard, 0) is not 0 and var owned)
            LibTorch.pt_inference_mode_end(owned);
    }
}
