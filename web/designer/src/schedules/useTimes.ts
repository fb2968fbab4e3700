import { useEffect, useState } from 'react';
import { api, ApiError, type CronFault } from '../api';

export interface Times {
  times?: string[];
  fault?: CronFault;
}

/** The next times of a cron while it is typed; what is wrong with it where it has none. */
export function useTimes(cron: string, zone: string): Times {
  const [state, setState] = useState<Times>({});
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      api.previewSchedule(cron, zone).then(
        ({ times }) => current && setState({ times }),
        (failure: unknown) => current && setState({ fault: faultOf(failure) }),
      );
    }, 250);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [cron, zone]);
  return state;
}

function faultOf(failure: unknown): CronFault {
  const body = failure instanceof ApiError ? (failure.body as Partial<CronFault> | undefined) : undefined;
  const detail = failure instanceof Error ? failure.message : `${failure}`;
  return { detail, field: body?.field ?? 'cron', ...(body?.part === undefined ? {} : { part: body.part }) };
}
