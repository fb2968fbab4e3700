using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class DisposeScopeTests
{
    [Fact]
    public void Disposes_what_was_made_in_it()
    {
        Tensor x, y;
        using (var scope = NewDisposeScope())
        {
            x = zeros(2);
            y = x + 1;
            Assert.Equal(2, scope.DisposablesCount);
            Assert.Same(scope, CurrentDisposeScope);
        }

        Assert.True(x.IsInvalid && y.IsInvalid);
        Assert.Null(CurrentDisposeScope);
    }

    [Fact]
    public void Hands_results_to_the_scope_around_it()
    {
        using var outer = NewDisposeScope();
        Tensor kept, moved;
        using (var inner = NewDisposeScope())
        {
            kept = inner.MoveToOuter(zeros(2));
            moved = zeros(2).MoveToOuterDisposeScope();
        }

        Assert.False(kept.IsInvalid);
        Assert.Equal(2, outer.DisposablesCount);
        outer.Dispose();
        Assert.True(kept.IsInvalid && moved.IsInvalid);
    }

    [Fact]
    public void Leaves_to_the_caller_what_has_no_scope_around_it()
    {
        Tensor x;
        using (var scope = NewDisposeScope())
            x = scope.MoveToOuter(zeros(2));

        Assert.False(x.IsInvalid);
        x.Dispose();
    }

    [Fact]
    public void Forgets_what_is_detached()
    {
        Tensor x, y;
        using (var scope = NewDisposeScope())
        {
            x = zeros(2).DetachFromDisposeScope();
            y = scope.Detach(zeros(2));
        }

        Assert.False(x.IsInvalid || y.IsInvalid);
        x.Dispose();
        y.Dispose();
    }

    [Fact]
    public void Takes_in_what_was_made_outside()
    {
        var x = zeros(2);
        using (var scope = NewDisposeScope())
            scope.Attach(x);

        Assert.True(x.IsInvalid);
    }

    [Fact]
    public void Can_be_emptied_on_the_way()
    {
        using var scope = NewDisposeScope();
        var (x, y) = (zeros(2), zeros(2));

        scope.DisposeEverythingBut(x);

        Assert.True(y.IsInvalid);
        Assert.False(x.IsInvalid);
        Assert.Equal(1, scope.DisposablesCount);
    }

    [Fact]
    public void Ends_in_any_order()
    {
        var outer = NewDisposeScope();
        var inner = NewDisposeScope();

        outer.Dispose();
        Assert.Same(inner, CurrentDisposeScope);
        inner.Dispose();
        Assert.Null(CurrentDisposeScope);
    }

    [Fact]
    public void Belongs_to_its_thread()
    {
        using var scope = NewDisposeScope();
        Tensor? other = null;

        var thread = new Thread(() => other = zeros(2));
        thread.Start();
        thread.Join();

        Assert.Equal(0, scope.DisposablesCount);
        other!.Dispose();
    }

    [Fact]
    public void Follows_a_tensor_that_becomes_a_parameter()
    {
        using var scope = NewDisposeScope();
        var data = zeros(2);

        var parameter = nn.Parameter(data);

        Assert.True(data.IsInvalid);
        Assert.True(scope.Contains(parameter));
        Assert.Equal(1, scope.DisposablesCount);
    }

    [Fact]
    public void Tells_apart_tensors_with_equal_elements()
    {
        using var scope = NewDisposeScope();

        var tensors = Enumerable.Range(0, 10).Select(_ => ones(2)).ToList();

        Assert.Equal(10, scope.DisposablesCount);
        tensors[0].Dispose();
        Assert.Equal(9, scope.DisposablesCount);
    }

    [Fact]
    public void Wraps_an_expression()
    {
        using var scope = NewDisposeScope();

        var x = WrappedTensorDisposeScope(() => (zeros(2) + 1) * 2);

        Near.Equal([2, 2], x);
        Assert.Equal(1, scope.DisposablesCount);
    }
}
