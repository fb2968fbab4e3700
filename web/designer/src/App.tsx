import { DesignerPage } from './designer/DesignerPage';
import { HomePage } from './home/HomePage';
import { linkTo, useRoute } from './hooks/useRoute';
import { themes, useTheme, type Theme } from './hooks/useTheme';
import { Fallen } from './parts/Fallen';
import { ArtifactPage } from './artifacts/ArtifactPage';
import { RunPage } from './runs/RunPage';
import { RunsPage } from './runs/RunsPage';

const places = [
  ['Workflows', ''],
  ['Runs', 'runs'],
] as const;

export function App() {
  const [place = '', name] = useRoute();
  const [theme, setTheme] = useTheme();
  return (
    <>
      <header className="app-bar">
        <a className="brand" href={linkTo()}>
          <svg viewBox="0 0 16 16" aria-hidden>
            <path d="M2 4h5v8h7" />
          </svg>
          Pipelines
        </a>
        <nav aria-label="Pages">
          {places.map(([label, to]) => (
            <a
              key={to}
              href={to === '' ? linkTo() : linkTo(to)}
              aria-current={place === to || (to === '' && place === 'designer') ? 'page' : undefined}
            >
              {label}
            </a>
          ))}
        </nav>
        <span className="space" />
        <select aria-label="Colours" value={theme} onChange={(event) => setTheme(event.target.value as Theme)}>
          {themes.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </header>
      <Fallen key={`${place} ${name}`}>
        <Page place={place} name={name} />
      </Fallen>
    </>
  );
}

function Page({ place, name }: { place: string; name?: string }) {
  if (place === 'designer' && name !== undefined) return <DesignerPage key={name} name={name} />;
  if (place === 'runs') return name === undefined ? <RunsPage /> : <RunPage key={name} id={name} />;
  if (place === 'artifacts' && name !== undefined) return <ArtifactPage key={name} hash={name} />;
  return <HomePage />;
}
