using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class LinearAlgebraTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory, Devices]
    public void Multiplies_matrices_and_vectors(string device)
    {
        var a = tensor([1f, 2f, 3f, 4f], [2, 2], device: device);
        var v = tensor([1f, -1f], device: device);

        Near.Equal([7, 10, 15, 22], a.matmul(a));
        Near.Equal([7, 10, 15, 22], a.mm(a));
        Near.Equal([-1, -1], a.mv(v));
        Near.Equal(2, v.dot(v));
        Near.Equal([1, -1, -1, 1], v.outer(v));
        Near.Equal([7, 10, 15, 22, 7, 10, 15, 22], a.expand(2, 2, 2).bmm(a.expand(2, 2, 2)));
        Near.Equal([15, 22, 33, 48], a.addmm(a, a, beta: 1, alpha: 2));
        Near.Equal([0, -2], v.addmv(a, v));
        Near.Equal([7, 10, 15, 22], einsum("ij,jk->ik", a, a));
        Near.Equal(5, a.trace());
    }

    [Theory, Devices]
    public void Factors_matrices(string device)
    {
        var a = tensor([4.0, 2.0, 2.0, 3.0], [2, 2], device: device);

        Near.Equal([2, 0, 1, 1.41421356], linalg.cholesky(a));
        Near.Equal([1.43844719, 5.56155281], linalg.eigh(a).Item1);
        Near.Equal([0.375, -0.25, -0.25, 0.5], linalg.inv(a));
        Near.Equal([5.56155281, 1.43844719], linalg.svdvals(a));
        Near.Equal(8, linalg.det(a));
        var (u, s, vh) = linalg.svd(a);
        Assert.True(a.allclose(u.matmul(s.diag()).matmul(vh)));
        var (q, r) = linalg.qr(a);
        Assert.True(a.allclose(q.matmul(r)));
        Assert.True(a.inverse().allclose(linalg.cholesky(a).cholesky_inverse()));
    }

    [Theory, Devices]
    public void Solves_systems(string device)
    {
        var a = tensor([4f, 2f, 2f, 3f], [2, 2], device: device);
        var b = tensor([1f, 2f], [2, 1], device: device);

        Near.Equal([-0.125, 0.75], linalg.solve(a, b));
        Near.Equal([0.25, 0.5], linalg.solve_triangular(a.tril(), b, upper: false));
        Near.Equal([-0.125, 0.75], linalg.lstsq(a, b).Solution);
        Near.Equal([-0.125, 0.75], b.cholesky_solve(linalg.cholesky(a)));
    }
}
