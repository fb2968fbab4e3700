import { useEffect, useMemo, useState } from 'react';
import { api, type RunView } from '../api';
import { catalogOf, isWithin } from '../graph/document';
import { useEvents } from '../hooks/useEvents';
import { useFetched } from '../hooks/useFetched';
import { linkTo } from '../hooks/useRoute';
import { Icon } from '../parts/Icon';
import { RoleButton } from '../parts/RoleButton';
import { Tabs } from '../parts/Tabs';
import { Away } from '../parts/Away';
import { branchedNodes, branchOf, isShown, nameOf, nodeOf, type ChosenBranches } from './branches';
import { BranchPicker } from './BranchPicker';
import { Logs } from './Logs';
import { MetricsView } from './MetricsView';
import { RerunDialog } from './RerunDialog';
import { ResultView } from './ResultView';
import { RunCanvas } from './RunCanvas';
import { StagePanel } from './StagePanel';
import { Timeline } from './Timeline';
import { useLogs } from './useLogs';

const beat = 2000;
const nothing: [] = [];
const views = ['timeline', 'metrics', 'log', 'result'] as const;
type View = (typeof views)[number];

/** One run: the graph that ran, when its stages ran, what they measured and said, what came out. */
export function RunPage({ id }: { id: string }) {
  const { data: run, error, refresh } = useFetched(() => api.run(id), `run ${id}`);
  if (error && !run) return <Away what="This run" error={error} onRetry={refresh} />;
  if (!run) return <p className="page empty">Opening the run…</p>;
  return <Run run={run} error={error} refresh={refresh} />;
}

function Run({ run, error, refresh }: { run: RunView; error?: string; refresh: () => void }) {
  const { data: activities, error: unlisted } = useFetched(api.activities, 'activities');
  // A stage is as high as it has ports: drawn before they are known it would move when they are, from under a hand that reaches for it.
  const listed = activities ?? (unlisted === undefined ? undefined : nothing);
  const catalog = useMemo(() => listed && catalogOf(listed), [listed]);
  const [chosen, setChosen] = useState<string>();
  const [branches, setBranches] = useState<ChosenBranches>({});
  const [view, setView] = useState<View>('timeline');
  const [rerun, setRerun] = useState<{ from?: string }>();
  const [fault, setFault] = useState<string>();

  const shown = useMemo(() => run.stages.filter((stage) => isShown(stage.id, branches)), [run.stages, branches]);
  const picked = useMemo(
    () => (chosen === undefined ? shown : shown.filter((stage) => isWithin(nodeOf(stage.id), chosen))),
    [shown, chosen],
  );
  const single = picked.length === 1 ? picked[0]!.id : undefined;
  const logs = useLogs(run.id, single);
  const names = useMemo(() => new Set(picked.map((stage) => stage.id)), [picked]);
  const lines =
    single === undefined && picked.length < run.stages.length
      ? logs.lines.filter((line) => names.has(line.stage))
      : logs.lines;
  const from = chosen === undefined ? undefined : nameOf(run.stages, picked);

  const again = () => {
    refresh();
    logs.more();
  };
  useEvents((event) => {
    if (event.type === 'run' && event.id === run.id) again();
  });
  // Progress within a stage is no event; while something runs it is asked for.
  const isRunning = run.state === 'running';
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(again, beat);
    return () => clearInterval(timer);
  });
  // A stage of the timeline or a list is one of one branch: the canvas shows that branch.
  const chooseStage = (stage: string) => {
    setBranches(
      Object.fromEntries(
        branchedNodes([{ id: stage }]).flatMap((path) => {
          const branch = branchOf(stage, path);
          return branch === undefined ? [] : [[path, branch]];
        }),
      ),
    );
    setChosen(nodeOf(stage));
  };

  return (
    <main className="run-page" id="main" tabIndex={-1}>
      <div className="toolbar">
        <nav className="way" aria-label="Where">
          <a href={linkTo('runs')}>Runs</a> / <h1>{run.name}</h1>
        </nav>
        <span className={`state ${run.state}`} role="status">
          {run.state}
        </span>
        <span className="hint wide-only">{counts(run)}</span>
        {(fault ?? error) && (
          <span className="chip bad" role="alert">
            {fault ?? error}
          </span>
        )}
        <span className="space" />
        {view !== 'result' && <BranchPicker stages={run.stages} chosen={branches} onChoose={setBranches} />}
        {chosen && (
          <RoleButton
            needs="operator"
            disabled={from === undefined}
            title={from === undefined ? 'Choose a branch first: these are stages of several' : undefined}
            onClick={() => setRerun({ from })}
          >
            Run again from {from ?? chosen}
          </RoleButton>
        )}
        {!isRunning && run.state !== 'succeeded' && (
          <RoleButton needs="operator" className="primary" onClick={() => setRerun({})}>
            Resume
          </RoleButton>
        )}
        {isRunning && (
          <RoleButton
            needs="operator"
            className="danger"
            onClick={() => api.cancel(run.id).then(refresh, (failure: Error) => setFault(failure.message))}
          >
            Cancel
          </RoleButton>
        )}
      </div>
      {view !== 'result' && (
        <section className="run-canvas" aria-label="Graph">
          {catalog && <RunCanvas run={run} catalog={catalog} chosen={chosen} branches={branches} onChoose={setChosen} />}
        </section>
      )}
      <section className={`run-details ${view}`} aria-label="Details">
        <Tabs id="run" label="Details" names={views} chosen={view} onChoose={setView}>
          {chosen && (
            <button
              type="button"
              className="chip"
              aria-label={`Show all stages, not only ${chosen}`}
              onClick={() => setChosen(undefined)}
            >
              {chosen} <Icon name="close" />
            </button>
          )}
        </Tabs>
        <div className="run-split">
          <div className="run-view" id="run-panel" role="tabpanel" aria-label={view} tabIndex={0}>
            {view === 'timeline' && (
              <Timeline run={run} chosen={chosen === undefined ? undefined : names} onChoose={chooseStage} />
            )}
            {view === 'metrics' && <MetricsView run={run} stages={picked} />}
            {view === 'log' && <Logs lines={lines} error={logs.error} />}
            {view === 'result' && <ResultView run={run} />}
          </div>
          {chosen && view !== 'result' && (
            <StagePanel
              run={run}
              stages={picked}
              plots={view !== 'metrics'}
              onResume={() => setRerun({})}
              onLog={() => setView('log')}
              onStage={(stage) => chooseStage(stage.id)}
            />
          )}
        </div>
      </section>
      {rerun && <RerunDialog run={run} from={rerun.from} onClose={() => setRerun(undefined)} onDone={again} />}
    </main>
  );
}

function counts(run: RunView): string {
  const done = run.stages.filter((stage) => stage.state === 'succeeded').length;
  const reused = run.stages.filter((stage) => stage.reused).length;
  return `${done} of ${run.stages.length} stages${reused > 0 ? `, ${reused} reused` : ''}`;
}
