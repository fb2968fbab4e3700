using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>
/// How well a classifier has forgotten images, and what it cost (Jia et al., arXiv:2304.04934). What counts is how near it comes to a model that never saw them, not how much it forgets.
/// </summary>
[Description("How well images were forgotten: accuracies, a membership attack, and the gap to a model that was trained without them")]
public sealed class EvaluateUnlearning : Activity<EvaluateUnlearning.Inputs, EvaluateUnlearning.Parameters, EvaluateUnlearning.Outputs>
{
    /// <param name="Forgotten">Images that were to be forgotten.</param>
    /// <param name="Retained">All others that it was trained on.</param>
    /// <param name="Test">Images that it never saw.</param>
    /// <param name="Retrained">Of a model that was trained on the retained images alone, by this stage.</param>
    /// <param name="Seconds">That unlearning took.</param>
    public sealed record Inputs(
        Checkpoint Model, Images Forgotten, Images Retained, Images Test, UnlearningMeasurement? Retrained, double? Seconds);

    public sealed record Parameters(
        [property: Description("Which test images count")] TestClasses Classes = TestClasses.Retained,
        [property: Description("Which retained images stand for members in the attack: as many as there are test images")] MemberChoice Members = MemberChoice.First,
        [property: Range(2, 100_000), Description("Members, and others, at most")] int Most = 10_000,
        [property: Range(1, 65536), Description("Images that are run together; does not change the result")] int Batch = 250,
        [property: Description("Of drawn members")] long Seed = 0);

    public sealed record Outputs(UnlearningMeasurement Measurement);

    public override string Kind => "evaluate.unlearning";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var forgotten = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Forgotten, cancellation);
        using var retained = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Retained, cancellation);
        using var test = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Test, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        var (tested, each) = Tested(test, retained, parameters);
        var protocol = $"unlearning-1:forgotten={Protocol.Short(inputs.Forgotten.Hash)}:retained={Protocol.Short(inputs.Retained.Hash)}"
            + $":test={Protocol.Short(inputs.Test.Hash)}:classes={Name(parameters.Classes)}"
            + $":members={Name(parameters.Members)}{(parameters.Members == MemberChoice.Drawn ? $"-{parameters.Seed}" : "")}-{each}"
            + $":attack=svm-rbf-c{MembershipAttack.Cost}:transform=normalize";
        if (inputs.Retrained is { } other && other.Protocol != protocol)
        {
            throw new StageException(
                $"'retrained' was measured by '{other.Protocol}', this is '{protocol}': their gap means nothing; evaluate both with the same images and settings");
        }

        var (done, all) = (0L, forgotten.Count + retained.Count + test.Count);
        var toForgotten = Answers(network, forgotten);
        var toRetained = Answers(network, retained);
        var toTest = Answers(network, test).Where((_, row) => tested[row]).ToArray();
        var attacks = Attack(toRetained, toTest, toForgotten, each, parameters, cancellation);
        var folder = await stage.Artifacts.OpenAsync(inputs.Model.Hash, cancellation);
        var measured = new UnlearningMeasurement(
            protocol, 1 - Accuracy(toForgotten), Accuracy(toRetained), Accuracy(toTest),
            attacks.Single(attack => attack.Feature == MembershipFeature.Confidence).Efficacy, attacks, inputs.Seconds,
            network.ParameterCount(), network.NonzeroCount(), WeightFiles.Bytes(folder), Gap: null);
        return new Outputs(measured with { Gap = inputs.Retrained is null ? null : UnlearningGap.Between(measured, inputs.Retrained) });

        Answer[] Answers(ImageClassifier network, ImageSet images)
        {
            var answers = ClassifierAnswers.Of(network, images, parameters.Batch, now => stage.Report(done + now, all, "image"), cancellation);
            done += images.Count;
            return answers;
        }
    }

    /// <summary>Attacks of all features, by as many members as others.</summary>
    private static MembershipScore[] Attack(
        Answer[] retained, Answer[] test, Answer[] forgotten, int each, Parameters parameters, CancellationToken cancellation)
    {
        var order = new EpochOrder(retained.Length, parameters.Seed);
        Answer[] members = parameters.Members == MemberChoice.First
            ? retained[..each]
            : [.. Enumerable.Range(0, each).Select(at => retained[order.At(at)])];
        return
        [
            .. Enum.GetValues<MembershipFeature>()
                .Select(feature => MembershipAttack.Run(feature, members, test[..each], forgotten, cancellation)),
        ];
    }

    /// <summary>Which test images count, and how many members and others there are to be.</summary>
    /// <exception cref="StageException">None does.</exception>
    private static (bool[] Tested, int Each) Tested(ImageSet test, ImageSet retained, Parameters parameters)
    {
        var there = retained.Info.Counts;
        bool[] tested =
        [
            .. test.Labels.data<long>().ToArray()
                .Select(label => parameters.Classes == TestClasses.All || (label < there.Count && there[(int)label] > 0)),
        ];
        var count = tested.Count(one => one);
        return count == 0
            ? throw new StageException("no test image is of a class that is retained: connect images of those, or count all classes")
            : (tested, (int)Math.Min(Math.Min(count, retained.Count), parameters.Most));
    }

    private static double Accuracy(Answer[] answers) => (double)answers.Count(answer => answer.IsRight) / answers.Length;

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}

/// <summary>Which classes of the test images count.</summary>
public enum TestClasses
{
    [Description("Those that are left among the retained images: of a forgotten class nothing is to be known")]
    Retained,

    [Description("All of them")]
    All,
}

/// <summary>Which retained images an attack learns by.</summary>
public enum MemberChoice
{
    [Description("The first, as in the released code; of a set that is not sorted by class")]
    First,

    [Description("Drawn by the seed")]
    Drawn,
}
