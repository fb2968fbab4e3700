using System.Text;

namespace Pipelines.Models;

/// <summary>The printable character that stands for each byte in a byte-level vocabulary, as GPT-2 chose them.</summary>
internal static class ByteSymbols
{
    private static readonly char[] Symbols = BuildSymbols();
    private static readonly Dictionary<char, byte> Bytes = BuildBytes();

    public static char Of(byte value) => Symbols[value];

    public static string Of(ReadOnlySpan<byte> bytes)
    {
        var symbols = new StringBuilder(bytes.Length);
        foreach (byte value in bytes)
            symbols.Append(Symbols[value]);
        return symbols.ToString();
    }

    /// <summary>
    /// The bytes that a vocabulary entry spells. An entry with a character that stands for no byte can only be
    /// a token added by hand, so it spells itself.
    /// </summary>
    public static byte[] BytesOf(string token)
    {
        var bytes = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
        {
            if (!Bytes.TryGetValue(token[i], out bytes[i]))
                return Encoding.UTF8.GetBytes(token);
        }
        return bytes;
    }

    private static char[] BuildSymbols()
    {
        var symbols = new char[256];
        int next = 256;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE;
            symbols[value] = (char)(printable ? value : next++);
        }
        return symbols;
    }

    private static Dictionary<char, byte> BuildBytes()
    {
        var bytes = new Dictionary<char, byte>();
        for (int value = 0; value < 256; value++)
            bytes.Add(Symbols[value], (byte)value);
        return bytes;
    }
}
