using System.Runtime.CompilerServices;
using TorchSharp;

namespace Pipelines.Tests.Torch;

/// <summary>Test classes run beside each other: LibTorch gets one thread for each of them.</summary>
internal static class OneThread
{
#pragma warning disable CA2255 // The one place that is sure to run before any test touches LibTorch.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Set() => torch.set_num_threads(1);
}
