using Pipelines.Activities.Allocation;
using static TorchSharp.torch;

namespace Pipelines.Activities.Classifying;

/// <summary>
/// How images are changed before they are trained on (He et al., arXiv:1512.03385, section 4.2; mixup: Zhang et al.,
/// arXiv:1710.09412).
/// </summary>
/// <param name="Pad">Black pixels put around an image, of which a piece of its old size is cut, anywhere; 0 for none.</param>
/// <param name="Flip">Whether every other image, by chance, is turned left to right.</param>
/// <param name="Mixup">α of the Beta distribution of how much of another image of the batch is mixed in; 0 for none.</param>
public sealed record Augmentation(int Pad, bool Flip, double Mixup)
{
    public static Augmentation None { get; } = new(0, false, 0);

    /// <summary>Moves and flips the images of a batch, each in its own way.</summary>
    /// <param name="images">[B, C, H, W], uint8, contiguous.</param>
    /// <returns>Of the same shape.</returns>
    internal Tensor Move(Tensor images, SplitMix random)
    {
        if (Pad == 0 && !Flip)
            return images.alias();
        var moved = zeros_like(images);
        var (count, channels, height, width) = ((int)images.shape[0], (int)images.shape[1], (int)images.shape[2], (int)images.shape[3]);
        var from = images.bytes;
        var to = moved.bytes;
        for (var image = 0; image < count; image++)
        {
            var (down, right) = Pad == 0 ? (0, 0) : (random.Below(2 * Pad + 1) - Pad, random.Below(2 * Pad + 1) - Pad);
            var turned = Flip && random.Below(2) == 1;
            for (var row = 0; row < channels * height; row++)
            {
                var source = row % height + down;
                if (source < 0 || source >= height)
                    continue;
                var target = to.Slice((image * channels * height + row) * width, width);
                Copy(from.Slice((image * channels * height + row + down) * width, width), target, right);
                if (turned)
                    target.Reverse();
            }
        }

        return moved;
    }

    /// <summary>What is left of the first of two images: λ of Beta(α, α); 1 without mixup.</summary>
    internal double Share(SplitMix random)
    {
        if (Mixup == 0)
            return 1;
        // Jöhnk's method, in logarithms: powers of small numbers vanish.
        for (; ; )
        {
            var (x, y) = (Math.Log(1 - random.Share()) / Mixup, Math.Log(1 - random.Share()) / Mixup);
            var sum = Math.Max(x, y) + Math.Log(1 + Math.Exp(-Math.Abs(x - y)));
            if (sum <= 0)
                return Math.Exp(x - sum);
        }
    }

    /// <summary>A row moved to the left by <paramref name="right"/>, with black behind it.</summary>
    private static void Copy(ReadOnlySpan<byte> from, Span<byte> to, int right)
    {
        if (right >= 0)
            from[Math.Min(right, from.Length)..].CopyTo(to);
        else
            from[..Math.Max(from.Length + right, 0)].CopyTo(to[Math.Min(-right, to.Length)..]);
    }
}
