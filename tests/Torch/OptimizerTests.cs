using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

/// <summary>Twenty steps of a linear layer; the numbers are PyTorch 1.13's.</summary>
public sealed class OptimizerTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<string, Func<Parameter[], OptimizerHelper>, double[]> Trajectories => new()
    {
        {
            "SGD", p => optim.SGD(p, 0.1),
            [-0.0802223906, 0.217883661, 0.613519728, -0.875012755, 0.307950735, 0.193131164]
        },
        {
            "SGD with momentum", p => optim.SGD(p, 0.1, momentum: 0.9, dampening: 0.1, weight_decay: 0.01),
            [-0.906502664, 0.384143621, 0.00520851417, -1.08525407, 0.950674951, 0.273808062]
        },
        {
            "SGD with Nesterov's momentum", p => optim.SGD(p, 0.1, momentum: 0.9, nesterov: true),
            [-0.880247533, 0.274644315, 0.206551716, -0.8775388, 0.795611024, 0.437117666]
        },
        {
            "Adam", p => optim.Adam(p, 0.05, 0.8, 0.95, weight_decay: 0.1),
            [-0.373118281, 0.279127836, 0.167622879, -0.731912971, 0.460108697, 0.411297768]
        },
        {
            "AMSGrad", p => optim.Adam(p, 0.05, amsgrad: true),
            [-0.445121765, 0.358043551, 0.103949174, -0.781485319, 0.447456688, 0.508877575]
        },
        {
            "AdamW", p => optim.AdamW(p, 0.05, weight_decay: 0.1),
            [-0.445074916, 0.348264694, 0.0952635482, -0.751022637, 0.452011079, 0.506746292]
        },
        {
            "AdamW with AMSGrad", p => optim.AdamW(p, 0.05, 0.5, 0.6, weight_decay: 0.2, amsgrad: true),
            [-0.292523891, 0.195708767, 0.263183087, -0.565437913, 0.459521681, 0.341660887]
        },
    };

    public void Dispose() => scope.Dispose();

    [Theory, MemberData(nameof(Trajectories))]
    public void Follows_PyTorch(string name, Func<Parameter[], OptimizerHelper> make, double[] expected)
    {
        var model = new TinyModel();
        using var optimizer = make(model.Parameters);

        model.Train(optimizer, 20);

        Assert.True(expected.Length == 6, name);
        Near.Equal(expected, cat([model.Weight.flatten(), model.Bias]));
    }

    [Theory, MemberData(nameof(Trajectories))]
    public void Goes_on_with_the_same_bits_after_saving_and_loading(
        string name, Func<Parameter[], OptimizerHelper> make, double[] expected)
    {
        var straight = new TinyModel();
        using var uninterrupted = make(straight.Parameters);
        straight.Train(uninterrupted, 20);

        var model = new TinyModel();
        using var stream = new MemoryStream();
        using (var before = make(model.Parameters))
        {
            model.Train(before, 7);
            before.save_state_dict(new BinaryWriter(stream));
        }

        stream.Position = 0;
        var resumed = new TinyModel(model);
        using var after = make(resumed.Parameters);
        after.load_state_dict(new BinaryReader(stream));
        resumed.Train(after, 13);

        Assert.Equal(stream.Length, stream.Position);
        Assert.True(straight.Weight.Equals(resumed.Weight), $"{name}, expected about {expected[0]}");
        Assert.True(straight.Bias.Equals(resumed.Bias), name);
    }

    [Fact]
    public void Takes_over_the_state_of_another_optimizer()
    {
        var (model, twin) = (new TinyModel(), new TinyModel());
        using var first = optim.AdamW(model.Parameters, 0.05);
        model.Train(first, 3);

        using var second = optim.AdamW(twin.Parameters, 0.5);
        second.load_state_dict(first.state_dict());

        Assert.Equal(3, second.state_dict().State[0].step);
        Assert.Equal(0.05, second.ParamGroups.First().LearningRate);
    }

    [Fact]
    public void Trains_groups_at_rates_of_their_own_that_a_schedule_may_change()
    {
        var model = new TinyModel();
        using var optimizer = optim.SGD(
            [new SGD.ParamGroup([model.Weight], lr: 0), new SGD.ParamGroup { Parameters = [model.Bias] }], 0.1);

        model.Train(optimizer, 1);
        Near.Equal([0.5, -0.3, 0.8, 0.1], model.Weight);
        Assert.NotEqual(0.1f, model.Bias[0].item<float>());

        foreach (var group in optimizer.ParamGroups)
            group.LearningRate = 0.1;
        model.Train(optimizer, 1);
        Assert.NotEqual(0.5f, model.Weight[0, 0].item<float>());
        Assert.Equal([0, 0.1], optimizer.ParamGroups.Select(group => group.InitialLearningRate));
    }

    [Fact]
    public void Leaves_parameters_without_gradients_alone()
    {
        var model = new TinyModel();
        var idle = nn.Parameter(ones(2));
        using var optimizer = optim.AdamW([.. model.Parameters, idle], 0.1, weight_decay: 0.5);

        model.Train(optimizer, 2);

        Near.Equal([1, 1], idle);
    }

    [Fact]
    public void Refuses_settings_and_states_that_make_no_sense()
    {
        var model = new TinyModel();
        using var adam = optim.Adam(model.Parameters);
        using var sgd = optim.SGD(model.Parameters, 0.1);
        using var stream = new MemoryStream();
        sgd.save_state_dict(new BinaryWriter(stream));
        stream.Position = 0;

        Assert.Throws<ArgumentOutOfRangeException>(() => optim.Adam(model.Parameters, beta1: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => optim.SGD(model.Parameters, -1));
        Assert.Throws<ArgumentException>(() => optim.SGD(model.Parameters, 0.1, nesterov: true));
        Assert.Throws<ArgumentException>(() => optim.SGD([model.Weight, model.Weight], 0.1));
        var error = Assert.Throws<InvalidDataException>(() => adam.load_state_dict(new BinaryReader(stream)));
        Assert.Equal("the state is of the optimizer 'SGD', expected Adam", error.Message);
    }

    private sealed class TinyModel
    {
        private readonly Tensor inputs = tensor([1f, 2f, -0.5f, 0.25f, 0.75f, -1.5f], [3, 2]);
        private readonly Tensor targets = tensor([0.5f, -1f, 1f, 0f, -0.25f, 2f], [3, 2]);

        public TinyModel()
        {
            Weight = nn.Parameter(tensor([0.5f, -0.3f, 0.8f, 0.1f], [2, 2]));
            Bias = nn.Parameter(tensor([0.1f, -0.2f]));
        }

        public TinyModel(TinyModel other)
        {
            Weight = nn.Parameter(other.Weight.detach().clone());
            Bias = nn.Parameter(other.Bias.detach().clone());
        }

        public Parameter Weight { get; }

        public Parameter Bias { get; }

        public Parameter[] Parameters => [Weight, Bias];

        public void Train(OptimizerHelper optimizer, int steps)
        {
            for (var step = 0; step < steps; step++)
            {
                using var scope = NewDisposeScope();
                optimizer.zero_grad();
                nn.functional.mse_loss(nn.functional.linear(inputs, Weight, Bias), targets).backward();
                optimizer.step();
            }
        }
    }
}
