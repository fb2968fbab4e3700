import { useState } from 'react';
import { api, type RunView } from '../api';
import { useFetched } from '../hooks/useFetched';
import { Dialog } from '../parts/Dialog';

interface Props {
  run: RunView;
  from?: string;
  onClose: () => void;
  onDone: () => void;
}

/** Before anything runs again: what will, what stands, and what is let go. The server says it, without doing it. */
export function RerunDialog({ run, from, onClose, onDone }: Props) {
  const [only, setOnly] = useState(false);
  const [fault, setFault] = useState<string>();
  const how = from === undefined ? {} : { from, only };
  const { data, error } = useFetched(
    () => api.reset(run.id, { ...how, dryRun: true }),
    `reset ${run.id} ${from} ${only}`,
  );
  const start = () =>
    api.reset(run.id, how).then(
      () => {
        onDone();
        onClose();
      },
      (failure: Error) => setFault(failure.message),
    );
  return (
    <Dialog
      title={from === undefined ? 'Resume' : `Run again from ${from}`}
      onClose={onClose}
      actions={
        <>
          <span className="space" />
          <button type="button" onClick={onClose}>
            Not now
          </button>
          <button type="button" className="primary" disabled={!data} onClick={() => void start()}>
            Run
          </button>
        </>
      }
    >
      {from !== undefined && (
        <label className="check">
          <input type="checkbox" checked={only} onChange={(event) => setOnly(event.target.checked)} />
          Only this stage: what it feeds keeps its results
        </label>
      )}
      {(error ?? fault) && (
        <p className="fault" role="alert">
          {error ?? fault}
        </p>
      )}
      {data && (
        <dl className="results">
          <Names
            title="Will run"
            names={data.willRun.map((stage) =>
              stage in data.goesOn ? `${stage} (from step ${data.goesOn[stage]})` : stage,
            )}
          />
          <Names title="Stand" names={data.kept} />
          <Names title="Results let go" names={data.thrownAway} />
        </dl>
      )}
    </Dialog>
  );
}

function Names({ title, names }: { title: string; names: string[] }) {
  return (
    <div>
      <dt>
        {title} ({names.length})
      </dt>
      <dd>{names.join(', ') || 'none'}</dd>
    </div>
  );
}
