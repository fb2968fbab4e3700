import { useEffect, useMemo } from 'react';
import { api } from '../api';
import { localFaults, mergeFaults, type Fault } from '../graph/checks';
import type { Path } from '../graph/document';
import { canvasStore, documentOf, useEditor } from './store';

/** What is wrong: found here at once, and by the server a moment later. A parameter that a run must set is no fault yet. */
export function useFaultCheck(): Fault[] {
  const root = useEditor((state) => state.history.present);
  const way = useEditor((state) => state.way);
  const catalog = useEditor((state) => state.catalog);
  const server = useEditor((state) => state.serverFaults);

  useEffect(() => {
    if (root.name === '') return;
    let current = true;
    const timer = setTimeout(() => {
      api.validate(root).then(
        ({ errors }) => current && useEditor.setState({ serverFaults: errors.filter((fault) => !isUnset(fault)) }),
        () => undefined,
      );
    }, 500);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [root]);

  const faults = useMemo(() => {
    const here = documentOf({ history: { past: [], present: root, future: [], at: 0 }, way });
    // An empty canvas is not wrong, it is new.
    if (root.stages.length === 0) return [];
    return mergeFaults(localFaults(here, catalog), within(server, way));
  }, [root, way, catalog, server]);

  useEffect(() => canvasStore.setState({ faults: byStage(faults) }), [faults]);
  return faults;
}

const isUnset = (fault: Fault): boolean => fault.stage === null && /must be set/.test(fault.message);

function within(faults: Fault[], way: Path[]): Fault[] {
  if (way.length === 0) return faults;
  const prefix = `${way.join('/')}/`;
  return faults.flatMap((fault) =>
    fault.stage?.startsWith(prefix) ? [{ ...fault, stage: fault.stage.slice(prefix.length) }] : [],
  );
}

function byStage(faults: Fault[]): Record<Path, Fault[]> {
  const grouped: Record<Path, Fault[]> = {};
  for (const fault of faults) if (fault.stage !== null) (grouped[fault.stage] ??= []).push(fault);
  return grouped;
}
