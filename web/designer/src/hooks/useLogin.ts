import { useCallback, useEffect, useState } from 'react';
import { strangers } from '../api';

/** Whether the server wants to know who asks, and what to call once it does. */
export function useLogin(): [boolean, () => void] {
  const [stranger, setStranger] = useState(false);
  useEffect(() => {
    const ask = () => setStranger(true);
    strangers.addEventListener('login', ask);
    return () => strangers.removeEventListener('login', ask);
  }, []);
  return [stranger, useCallback(() => setStranger(false), [])];
}
