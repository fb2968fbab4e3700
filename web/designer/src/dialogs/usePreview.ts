import { useEffect, useState } from 'react';
import { api, type StagePreview, type StartRun } from '../api';

interface Preview {
  stages?: StagePreview[];
  error?: string;
}

/** What a run would reuse; asked for a moment after its values stopped changing. Nothing while there is no sound run. */
export function usePreview(run: StartRun | undefined): Preview {
  const [preview, setPreview] = useState<Preview>({});
  const key = run && JSON.stringify(run);
  useEffect(() => {
    setPreview({});
    if (key === undefined) return;
    let current = true;
    const timer = setTimeout(() => {
      api.preview(JSON.parse(key) as StartRun).then(
        (stages) => current && setPreview({ stages }),
        (failure: Error) => current && setPreview({ error: failure.message }),
      );
    }, 300);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key]);
  return preview;
}
