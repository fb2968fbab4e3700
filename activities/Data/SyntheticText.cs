using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>
/// A text whose structure is known: a Markov chain over invented words, each followed by one of four others with
/// probabilities 0.5, 0.25, 0.15 and 0.1. Its entropy is known exactly, and no model can do better.
/// </summary>
[Description("Makes a text with known structure, and a second one of the same structure to evaluate on")]
public sealed class SyntheticText : Activity<None, SyntheticText.Parameters, SyntheticText.Outputs>
{
    private static readonly double[] Likelihood = [0.5, 0.25, 0.15, 0.1];

    public sealed record Parameters(
        [property: Range(8, 100_000), Description("Words in the lexicon")] int Words = 256,
        [property: Range(1_000, 1_000_000_000), Description("Characters of the text to train on")] int Characters = 1_000_000,
        [property: Range(1_000, 1_000_000_000), Description("Characters of the text to evaluate on")] int EvaluationCharacters = 100_000,
        [property: Range(2, 1 << 20), Description("Tokens in a sequence")] int Length = 128,
        [property: Description("Of the lexicon, the chain and both texts")] int Seed = 0);

    /// <param name="BitsPerCharacter">The entropy rate of the chain: the floor for any model's loss.</param>
    public sealed record Outputs(Dataset Data, Dataset Evaluation, double BitsPerCharacter);

    public override string Kind => "data.synthetic";

    public override async Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var random = new Random(parameters.Seed);
        var chain = Chain.Create(parameters.Words, random);
        var data = await SaveAsync("synthetic text", parameters.Characters);
        var evaluation = await SaveAsync("synthetic evaluation text", parameters.EvaluationCharacters);
        return new Outputs(data, evaluation, chain.BitsPerCharacter());

        Task<Dataset> SaveAsync(string origin, int characters) => DatasetFolder.SaveAsync(
            stage.Artifacts, Encoding.UTF8.GetBytes(chain.Write(characters, random)),
            new TokenWindows(origin, null, parameters.Length, WindowOrder.First, 0), cancellation);
    }

    /// <param name="Next">For each word, the words that may follow it, likeliest first.</param>
    internal sealed record Chain(string[] Words, int[][] Next)
    {
        public static Chain Create(int words, Random random)
        {
            var lexicon = new HashSet<string>();
            while (lexicon.Count < words)
                lexicon.Add(Word(random));
            var all = Enumerable.Range(0, words).ToArray();
            return new Chain(
                [.. lexicon],
                [.. all.Select(_ => all.OrderBy(_ => random.Next()).Take(Likelihood.Length).ToArray())]);
        }

        public string Write(int characters, Random random)
        {
            var text = new StringBuilder(characters + 16);
            var word = random.Next(Words.Length);
            while (text.Length < characters)
            {
                text.Append(Words[word]).Append(' ');
                word = Next[word][Draw(random)];
            }

            return text.ToString(0, characters);
        }

        /// <summary>Entropy of a step over the mean length of a word, with words weighed by how often the chain visits them.</summary>
        public double BitsPerCharacter()
        {
            var visits = Enumerable.Repeat(1.0 / Words.Length, Words.Length).ToArray();
            for (var sweep = 0; sweep < 200; sweep++)
            {
                var moved = new double[visits.Length];
                for (var word = 0; word < visits.Length; word++)
                {
                    for (var i = 0; i < Likelihood.Length; i++)
                        moved[Next[word][i]] += visits[word] * Likelihood[i];
                }

                visits = moved;
            }

            var bits = -Likelihood.Sum(p => p * Math.Log2(p));
            return bits / visits.Select((share, word) => share * (Words[word].Length + 1)).Sum();
        }

        private static int Draw(Random random)
        {
            var at = random.NextDouble();
            var i = 0;
            while (i < Likelihood.Length - 1 && at >= Likelihood[i])
                at -= Likelihood[i++];
            return i;
        }

        private static string Word(Random random)
        {
            const string consonants = "bdfgklmnprstvz";
            const string vowels = "aeiou";
            var word = new StringBuilder();
            for (var syllables = random.Next(1, 4); syllables > 0; syllables--)
                word.Append(consonants[random.Next(consonants.Length)]).Append(vowels[random.Next(vowels.Length)]);
            return word.ToString();
        }
    }
}
