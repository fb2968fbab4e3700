using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>A block by tensor operators, a column of all rows at a time: for devices.</summary>
internal sealed class SparseGptColumns(SparsityPattern? pattern) : ISparseGptBlock
{
    public void Prune(Tensor work, long first, Tensor own, Tensor? mask, Tensor errors)
    {
        using var scope = NewDisposeScope();
        var count = own.shape[0];
        var part = work.narrow(1, first, count);
        var diagonal = own.diagonal();
        mask ??= zeros_like(part, dtype: ScalarType.Bool);
        for (long column = 0; column < count; column++)
        {
            using var inner = NewDisposeScope();
            if (pattern is not null && column % pattern.M == 0)
            {
                var scores = part.narrow(1, column, pattern.M).square().div_(diagonal.narrow(0, column, pattern.M).square());
                mask.narrow(1, column, pattern.M).copy_(pattern.Mask(scores, "block"));
            }

            var error = errors.narrow(1, column, 1);
            error.copy_(part.narrow(1, column, 1)).mul_(mask.narrow(1, column, 1)).div_(diagonal[column]);
            part.narrow(1, column, count - column)
                .addmm_(error, own.narrow(0, column, 1).narrow(1, column, count - column), alpha: -1);
        }

        part.masked_fill_(mask, 0);
    }
}
