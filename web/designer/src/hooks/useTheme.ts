import { useEffect, useState } from 'react';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const stored = 'pipelines.theme';

const read = (): Theme => themes.find((theme) => theme === localStorage.getItem(stored)) ?? 'system';

/** Light or dark: what the system says, unless the user said otherwise. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(read);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    localStorage.setItem(stored, theme);
  }, [theme]);
  return [theme, setTheme];
}
