import { useEffect, useState } from 'react';
import { api, type AttemptMetrics, type StageView } from '../api';
import { useFetched } from '../hooks/useFetched';

const most = 24;
const beat = 3000;

export interface StageMetrics {
  stage: StageView;
  attempts: AttemptMetrics[];
}

/** The figures of stages, asked for again while one of them runs. */
export function useMetrics(run: string, stages: StageView[]): { data?: StageMetrics[]; error?: string; left: number } {
  const begun = stages.filter((stage) => stage.attempt > 0 && !stage.reused);
  const asked = begun.slice(0, most);
  const isRunning = asked.some((stage) => stage.state === 'running');
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => setTurn((before) => before + 1), beat);
    return () => clearInterval(timer);
  }, [isRunning]);

  const key = `metrics ${run} ${asked.map((stage) => `${stage.id} ${stage.attempt} ${stage.state}`).join()}`;
  const { data, error, refresh } = useFetched(
    () => Promise.all(asked.map(async (stage) => ({ id: stage.id, attempts: await api.metrics(run, stage.id) }))),
    key,
  );
  useEffect(() => {
    if (turn > 0) refresh();
  }, [turn, refresh]);
  return {
    data: data?.flatMap(({ id, attempts }) => {
      const stage = asked.find((one) => one.id === id);
      return stage && attempts.some((one) => one.points.length > 0) ? [{ stage, attempts }] : [];
    }),
    error,
    left: begun.length - asked.length,
  };
}
