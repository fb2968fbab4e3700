/** One rule of searching for the palette, the command bar and the stages: every word must occur, the best hit first. */

export function search<T>(items: readonly T[], query: string, textOf: (item: T) => string[]): T[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...items];
  return items
    .map((item, order) => ({ item, order, score: scoreOf(textOf(item), words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.order - b.order)
    .map(({ item }) => item);
}

// The first text is the name: a hit there, and at its beginning, counts for more.
function scoreOf(texts: string[], words: string[]): number {
  let total = 0;
  for (const word of words) {
    let best = 0;
    texts.forEach((text, index) => {
      const at = text.toLowerCase().indexOf(word);
      if (at < 0) return;
      const begins = at === 0 || /[^a-z0-9]/i.test(text[at - 1]!);
      best = Math.max(best, (index === 0 ? 4 : 1) + (begins ? 2 : 0) + (text.length === word.length ? 4 : 0));
    });
    if (best === 0) return 0;
    total += best;
  }
  return total;
}
