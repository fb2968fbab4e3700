using static TorchSharp.torch;

namespace Pipelines.Activities.Finetuning;

/// <summary>What a student is trained on beside the text (Hinton et al., arXiv:1503.02531; hidden states: Sun et al., arXiv:1908.09355).</summary>
public static class DistillationLoss
{
    /// <summary>τ² · KL(teacher ‖ student) of the distributions at temperature τ, the mean over positions; 0 where they agree.</summary>
    /// <param name="student">Logits [..., vocabulary].</param>
    /// <param name="teacher">Of the same shape.</param>
    public static Tensor Logits(Tensor student, Tensor teacher, double temperature)
    {
        using var scope = NewDisposeScope();
        var vocabulary = student.shape[^1];
        var learnt = student.div(temperature).log_softmax(-1).view(-1, vocabulary);
        var taught = teacher.div(temperature).log_softmax(-1).view(-1, vocabulary);
        return (nn.functional.kl_div(learnt, taught, reduction: nn.Reduction.Sum, log_target: true)
            * (temperature * temperature / learnt.shape[0])).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Mean over the student's blocks of the squared error of what they make, as a share of the teacher's mean square: late
    /// blocks, whose states are larger, count no more than early ones.
    /// </summary>
    /// <param name="student">[B, T, hidden] of each block.</param>
    /// <param name="teacher">Likewise, of at least as many blocks.</param>
    public static Tensor Hidden(IReadOnlyList<Tensor> student, IReadOnlyList<Tensor> teacher)
    {
        using var scope = NewDisposeScope();
        var errors = student.Select((state, block) =>
        {
            var target = teacher[TeacherBlock(block, student.Count, teacher.Count)];
            return (state - target).square().mean() / target.square().mean();
        });
        return stack(errors).mean().MoveToOuterDisposeScope();
    }

    /// <summary>The teacher's block that a student's answers to: at the same share of the depth, last to last.</summary>
    public static int TeacherBlock(int block, int students, int teachers) => (block + 1) * teachers / students - 1;
}
