import { useMemo } from 'react';
import { Icon, type IconName } from '../parts/Icon';
import { difference, isSame } from '../graph/difference';
import { linkTo } from '../hooks/useRoute';
import { byId, commands } from './commands';
import { closeTo, select, togglePanel, useEditor, type Saving } from './store';

/** Above the canvas: which workflow, how it stands, what to do with it. */
export function Toolbar({ faults }: { faults: number }) {
  const name = useEditor((state) => state.name);
  const saving = useEditor((state) => state.saving);
  const present = useEditor((state) => state.history.present);
  const canUndo = useEditor((state) => state.history.past.length > 0);
  const canRedo = useEditor((state) => state.history.future.length > 0);
  const way = useEditor((state) => state.way);
  // Where a stage is drawn is no change of the workflow.
  const { publishedDocument } = saving;
  const changed = useMemo(
    () => publishedDocument && !isSame(difference(publishedDocument, present)),
    [publishedDocument, present],
  );
  return (
    <div className="toolbar" role="toolbar" aria-label="Workflow">
      <nav className="way" aria-label="Opened workflows">
        <a href={linkTo('workflows')}>Workflows</a>
        <span aria-hidden>/</span>
        {way.length === 0 ? (
          <h1>{name}</h1>
        ) : (
          <button type="button" className="link" onClick={() => closeTo(0)}>
            {name}
          </button>
        )}
        {way.map((path, index) => (
          <span key={path}>
            /{' '}
            {index === way.length - 1 ? (
              <h1>{path}</h1>
            ) : (
              <button type="button" className="link" onClick={() => closeTo(index + 1)}>
                {path}
              </button>
            )}
          </span>
        ))}
      </nav>
      <SaveState saving={saving} />
      <PublishState saving={saving} changed={changed} />
      {faults > 0 && (
        <button
          type="button"
          className="chip bad"
          title="What is wrong, stage by stage"
          onClick={() => {
            select([]);
            togglePanel('inspector', true);
          }}
        >
          Invalid: {faults} {faults === 1 ? 'fault' : 'faults'}
        </button>
      )}
      <span className="space" />
      <IconButton id="undo" icon="undo" disabled={!canUndo} />
      <IconButton id="redo" icon="redo" disabled={!canRedo} />
      <IconButton id="tidy" icon="tidy" />
      <IconButton id="bar" icon="search" />
      <IconButton id="palette" icon="plus" text="Add" />
      <IconButton id="inspector" icon="panel" />
      <span className="bar" aria-hidden />
      <button type="button" className="wide-only" onClick={byId('versions').run}>
        Versions
      </button>
      <button type="button" onClick={byId('publish').run}>
        Publish
      </button>
      <button type="button" className="primary" onClick={byId('run').run} title="Run… (Ctrl+Enter)">
        <Icon name="play" /> Run
      </button>
    </div>
  );
}

function IconButton({ id, icon, text, disabled }: { id: string; icon: IconName; text?: string; disabled?: boolean }) {
  const command = commands.find((one) => one.id === id)!;
  const title = command.keys ? `${command.label} (${command.keys.split(', ')[0]})` : command.label;
  return (
    <button
      type="button"
      className="icon"
      aria-label={text ? `${text} ${command.label.toLowerCase()}` : command.label}
      title={title}
      disabled={disabled}
      onClick={command.run}
    >
      <Icon name={icon} />
      {text}
    </button>
  );
}

const words: Record<Saving['state'], string> = {
  saved: 'Saved',
  waiting: 'Saving…',
  saving: 'Saving…',
  conflict: 'Conflict',
  failed: 'Not saved',
  held: 'Not saved: only for you to try',
};

function SaveState({ saving: { state, message, revision } }: { saving: Saving }) {
  return (
    <span
      className={`chip save-${state}`}
      role="status"
      title={state === 'failed' ? `${message}; trying again` : (message ?? `Revision ${revision}`)}
    >
      {words[state]}
      {state === 'failed' && `: ${message}`}
    </span>
  );
}

function PublishState({ saving: { published }, changed }: { saving: Saving; changed?: boolean }) {
  if (published === null) return <span className="chip wide-only">Not published</span>;
  return (
    <span className={`chip wide-only ${changed ? 'changed' : 'good'}`}>
      {changed ? `Has changes since v${published}` : `Published v${published}`}
    </span>
  );
}
