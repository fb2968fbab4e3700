using Pipelines.Activities.Calibration;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Evaluation;
using Pipelines.Activities.Experts;
using Pipelines.Activities.Explaining;
using Pipelines.Activities.Exporting;
using Pipelines.Activities.Finetuning;
using Pipelines.Activities.Modeling;
using Pipelines.Activities.Pruning;
using Pipelines.Activities.Searching;
using Pipelines.Activities.Sharing;
using Pipelines.Activities.Tuning;
using Pipelines.Activities.Unlearning;
using Pipelines.Models;
using Pipelines.Workflows;

namespace Pipelines.Activities;

/// <summary>Every kind of stage that ships. A new one is a line here and a row in docs/activities.md.</summary>
public static class ActivityCatalog
{
    public static Catalog Create() => new Catalog()
        .Explain<ModelException>()
        .Add(new SyntheticText())
        .Add(new TextData())
        .Add(new ChoiceData())
        .Add(new ImageData())
        .Add(new SplitImages())
        .Add(new SyntheticImages())
        .Add(new LoadModel())
        .Add(new TrainModel())
        .Add(new TrainClassifier())
        .Add(new CalibrateStatistics())
        .Add(new TrainExplainer())
        .Add(new MagnitudePrune())
        .Add(new SapPrune())
        .Add(new RewindPrune())
        .Add(new WandaPrune())
        .Add(new SparseGptPrune())
        .Add(new DsnotPrune())
        .Add(new EvoPressDepth())
        .Add(new EvoPressSparsity())
        .Add(new FlapPrune())
        .Add(new ModegptPrune())
        .Add(new SlicegptPrune())
        .Add(new ShortgptPrune())
        .Add(new GradualMagnitudePrune())
        .Add(new LlmPruner())
        .Add(new LoraPrune())
        .Add(new DispLlmPrune())
        .Add(new ChannelPrune())
        .Add(new IspPrune())
        .Add(new ApplyDecision())
        .Add(new FlexiGptPrune())
        .Add(new ToMoePrune())
        .Add(new ExtendModel())
        .Add(new LoraFinetune())
        .Add(new FullFinetune())
        .Add(new DistillFinetune())
        .Add(new PerpFinetune())
        .Add(new AtpTune())
        .Add(new AtoTune())
        .Add(new OtoTune())
        .Add(new RlalTune())
        .Add(new ClassifierFinetune())
        .Add(new FinetuneUnlearn())
        .Add(new AscentUnlearn())
        .Add(new FisherUnlearn())
        .Add(new InfluenceUnlearn())
        .Add(new EvaluatePerplexity())
        .Add(new EvaluateChoice())
        .Add(new EvaluateMemorization())
        .Add(new EvaluateAccuracy())
        .Add(new EvaluateUnlearning())
        .Add(new EvaluateOracle())
        .Add(new EvaluateExplanations())
        .Add(new EvaluateSize())
        .Add(new EvaluateSpeed())
        .Add(new EvaluateLatency())
        .Add(new ExportHuggingFace())
        .Add(new ExportGguf())
        .Add(new CompareModels())
        .Add(new RankModels())
        .Add(new SelectBest())
        .Add(new SelectSmallest());
}
