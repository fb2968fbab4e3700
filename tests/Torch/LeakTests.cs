using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

[Collection(nameof(Alone))]
public sealed class LeakTests
{
    [Fact]
    public void Trains_ten_thousand_steps_in_the_memory_of_a_hundred()
    {
        using var model = NewDisposeScope();
        var (first, second) = (nn.Parameter(randn(16, 8)), nn.Parameter(randn(4, 16)));
        var (inputs, targets) = (randn(32, 8), randint(4, [32]));
        using var optimizer = optim.AdamW([first, second], 0.01, weight_decay: 0.01);

        Train(100);
        var (tensors, _) = Measure();

        // A lost tensor costs as much in every round; .NET's own caches grow in the first ones, and by up to 5 MB.
        Assert.InRange(Enumerable.Range(0, 3).Min(_ => GrowthOver(9_900)), long.MinValue, 2 << 20);
        Assert.Equal(tensors, Measure().Tensors);

        // Losing the smallest tensor of a step would cost 9,900 * 0.5 KB.
        long GrowthOver(int steps)
        {
            var before = Measure().Memory;
            Train(steps);
            return Measure().Memory - before;
        }

        void Train(int steps)
        {
            for (var step = 0; step < steps; step++)
            {
                using var scope = NewDisposeScope();
                optimizer.zero_grad();
                var hidden = Scaled.apply(nn.functional.linear(inputs, first).relu());
                var loss = nn.functional.cross_entropy(nn.functional.linear(hidden, second), targets);
                loss.backward();
                nn.utils.clip_grad_norm_([first, second], 1);
                optimizer.step();
            }
        }
    }

    [Fact]
    public void Frees_what_nobody_disposed_once_it_is_collected()
    {
        var (before, _) = Measure();

        Forget();
        var (after, _) = Measure();

        Assert.Equal(before, after);

        static void Forget()
        {
            for (var i = 0; i < 1000; i++)
                _ = zeros(1000) + 1;
        }
    }

    [Fact]
    public void Leaves_nothing_behind_when_operators_fail()
    {
        using var scope = NewDisposeScope();
        var (x, y) = (zeros(2, 4), zeros(3, 4));
        var (before, _) = Measure();

        for (var i = 0; i < 100; i++)
            Assert.ThrowsAny<Exception>(() => x.matmul(y));

        Assert.Equal(before, Measure().Tensors);
    }

    private static (long Tensors, long Memory) Measure()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        // What malloc has given out, not the resident set: that grows by some 10 MB while .NET fills its first
        // generation and compiles again what is hot, and would hide the loss of a small tensor per step.
        var heap = mallinfo2();
        return (Tensor.TotalCount, heap.InUse + heap.InMappings);
    }

    [DllImport("libc")]
    private static extern Heap mallinfo2();

    /// <summary>glibc's <c>struct mallinfo2</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Heap
    {
        public nint Arena, FreeChunks, FastChunks, Mappings, InMappings, Unused, InFast, InUse, Free, Top;
    }

    private sealed class Scaled : autograd.SingleTensorFunction<Scaled>
    {
        public override string Name => nameof(Scaled);

        public override Tensor forward(autograd.AutogradContext ctx, params object?[] vars)
        {
            var x = (Tensor)vars[0]!;
            ctx.save_for_backward([x]);
            return x * 0.5;
        }

        public override List<Tensor?> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
            [grad_output * 0.5 * ctx.get_saved_variables()[0].sign()];
    }
}
