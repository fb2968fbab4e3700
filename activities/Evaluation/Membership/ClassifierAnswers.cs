using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>What a classifier answers to images as they are, neither moved nor flipped.</summary>
internal static class ClassifierAnswers
{
    /// <param name="report">Told how many images are done.</param>
    /// <exception cref="StageException">Images and network do not go together, or a logit is no number.</exception>
    public static Answer[] Of(ImageClassifier network, ImageSet images, int batch, Action<long> report, CancellationToken cancellation)
    {
        network.CheckFits(images.Info);
        using var ungraded = no_grad();
        var classes = network.Config.NumClasses;
        var labels = images.Labels.data<long>().ToArray();
        var answers = new Answer[labels.Length];
        for (long start = 0; start < images.Count; start += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var part = ImageBatch.Of(network, images, start, batch);
            var logits = network.Forward(part.Inputs);
            var probabilities = logits.to(ScalarType.Float64).softmax(1).cpu().contiguous().data<double>().ToArray();
            if (!probabilities.All(double.IsFinite))
                throw new StageException("a logit is no number: the model's weights or statistics hold NaN or infinity");
            for (var i = 0; i < part.Count; i++)
                answers[start + i] = new Answer(probabilities[(i * classes)..((i + 1) * classes)], (int)labels[start + i]);
            report(start + part.Count);
        }

        return answers;
    }
}
