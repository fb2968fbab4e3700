using Pipelines.Activities.Data;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Activities.Images;

/// <summary>Rows written by hand, after the standard.</summary>
public sealed class PngTests
{
    [Fact]
    public void Colours_become_planes()
    {
        var image = Png.Decode("a.png", TinyImages.Png(2, 2, 8, 2, [0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12]));

        Assert.Equal((3, 2, 2), (image.Channels, image.Height, image.Width));
        Assert.Equal<byte>([1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12], image.Pixels);
    }

    [Fact]
    public void Every_filter_is_undone()
    {
        // The same row of 10, 20, 30, 40 five times, each as another filter says it.
        byte[] rows =
        [
            0, 10, 20, 30, 40,      // none
            1, 10, 10, 10, 10,      // the one to the left
            2, 0, 0, 0, 0,          // the one above
            3, 5, 5, 5, 5,          // the mean of both: 5, 15, 25, 35
            4, 0, 0, 0, 0,          // Paeth: 10, then above is nearest each time
        ];

        var image = Png.Decode("a.png", TinyImages.Png(4, 5, 8, 0, rows));

        Assert.Equal(Enumerable.Repeat(new byte[] { 10, 20, 30, 40 }, 5).SelectMany(row => row), image.Pixels);
    }

    [Fact]
    public void Paeth_chooses_the_nearest_of_three()
    {
        // Above 50, 10; to the left of the second is 60, in the corner 50: the estimate is 60 + 10 - 50 = 20, and 10 is nearest.
        var image = Png.Decode("a.png", TinyImages.Png(2, 2, 8, 0, [0, 50, 10, 4, 10, 3]));

        Assert.Equal<byte>([50, 10, 60, 13], image.Pixels);
    }

    [Theory]
    [InlineData(1, new byte[] { 0, 0b10110000 }, new byte[] { 255, 0, 255, 255 })]
    [InlineData(2, new byte[] { 0, 0b00011011 }, new byte[] { 0, 85, 170, 255 })]
    [InlineData(4, new byte[] { 0, 0x0f, 0x3c }, new byte[] { 0, 255, 51, 204 })]
    [InlineData(16, new byte[] { 0, 1, 9, 2, 9, 3, 9, 4, 9 }, new byte[] { 1, 2, 3, 4 })]
    public void Other_depths_are_spread_over_a_byte(int depth, byte[] row, byte[] expected) =>
        Assert.Equal(expected, Png.Decode("a.png", TinyImages.Png(4, 1, depth, 0, row)).Pixels);

    [Fact]
    public void Palettes_are_looked_up_and_transparency_left_out()
    {
        var indexed = Png.Decode("a.png", TinyImages.Png(2, 1, 1, 3, [0, 0b01000000], palette: [1, 2, 3, 4, 5, 6]));
        var clear = Png.Decode("a.png", TinyImages.Png(1, 1, 8, 6, [0, 7, 8, 9, 128]));
        var grey = Png.Decode("a.png", TinyImages.Png(2, 1, 8, 4, [0, 7, 128, 9, 128]));

        Assert.Equal<byte>([1, 4, 2, 5, 3, 6], indexed.Pixels);
        Assert.Equal<byte>([7, 8, 9], clear.Pixels);
        Assert.Equal<byte>([7, 9], grey.Pixels);
    }

    [Fact]
    public void What_is_wrong_is_said_with_the_file()
    {
        var good = TinyImages.Png(2, 1, 8, 0, [0, 1, 2]);
        byte[] flipped = [.. good];
        flipped[20] ^= 1;

        Refused("begins with 47494638", [.. "GIF8"u8, .. good[4..]]);
        Refused("cut off", good[..^8]);
        Refused("damaged: its checksum", flipped);
        Refused("row 0 of 2 is damaged or cut off", TinyImages.Png(2, 2, 8, 0, [0, 1]));
        Refused("the filter 5", TinyImages.Png(2, 1, 8, 0, [5, 1, 2]));
        Refused("interlaced", TinyImages.Png(2, 1, 8, 0, [0, 1, 2], interlace: 1));
        Refused("colour type 3 with 16 bits", TinyImages.Png(2, 1, 16, 3, [0, 1, 2]));
        Refused("colour 3 is not in its palette of 2", TinyImages.Png(1, 1, 8, 3, [0, 3], palette: [1, 2, 3, 4, 5, 6]));
        Refused("expected at most", TinyImages.Png(1 << 20, 1 << 20, 8, 0, [0]));
    }

    private static void Refused(string part, byte[] file)
    {
        var message = Assert.Throws<StageException>(() => Png.Decode("some.png", file)).Message;
        Assert.StartsWith("some.png", message);
        Assert.Contains(part, message);
    }
}
