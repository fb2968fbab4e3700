using System.Text;

namespace Pipelines.Tests.Models;

internal static class RandomText
{
    public static string Unicode(Random random, int runes) => Build(random, runes, 0x10FFFF);

    public static string BasicPlane(Random random, int runes) => Build(random, runes, 0xFFFF);

    // Half of it from the characters that the splitting rules turn on, so that their combinations come up.
    private static string Build(Random random, int runes, int last)
    {
        const string Telling = "  \t\n\r\u00A0\u3000''strevmldSabz019²½Ⅷéж中٣\u0301!?-_\u200B\u0085\0";
        var text = new StringBuilder();
        while (runes-- > 0)
        {
            int code = random.Next(2) == 0 ? Telling[random.Next(Telling.Length)] : random.Next(last + 1);
            if (Rune.IsValid(code))
                text.Append(new Rune(code).ToString());
        }
        return text.ToString();
    }
}
