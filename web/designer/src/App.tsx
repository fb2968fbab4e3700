import { useEffect, useRef } from 'react';
import { AccessPage } from './access/AccessPage';
import { Whoami } from './access/Whoami';
import { askWho, useSession } from './access/who';
import { ArtifactPage } from './artifacts/ArtifactPage';
import { ComparePage } from './compare/ComparePage';
import { DashboardPage } from './dashboard/DashboardPage';
import { DesignerPage } from './designer/DesignerPage';
import { WorkflowsPage } from './home/WorkflowsPage';
import { useLogin } from './hooks/useLogin';
import { linkTo, useRoute } from './hooks/useRoute';
import { themes, useTheme, type Theme } from './hooks/useTheme';
import { LoginPage } from './login/LoginPage';
import { Banner } from './parts/Banner';
import { Fallen } from './parts/Fallen';
import { NotFound } from './parts/NotFound';
import { RunPage } from './runs/RunPage';
import { RunsPage } from './runs/RunsPage';
import { SchedulePage } from './schedules/SchedulePage';
import { SchedulesPage } from './schedules/SchedulesPage';
import { WorkersPage } from './workers/WorkersPage';

/** The pages of the bar at the top, with those that belong to each; the last is for admins. */
const places = [
  ['Dashboard', [], ['']],
  ['Workflows', ['workflows'], ['workflows', 'designer']],
  ['Runs', ['runs'], ['runs', 'compare', 'artifacts']],
  ['Schedules', ['schedules'], ['schedules']],
  ['Workers', ['workers'], ['workers']],
  ['Access', ['access'], ['access']],
] as const;

export function App() {
  const route = useRoute();
  const [theme, setTheme] = useTheme();
  const [stranger, loggedIn] = useLogin();
  const address = route.join('/');
  const [place = '', name] = route;
  useTitle(place, name);
  useFocus(address);
  useEffect(() => {
    if (!stranger) void askWho();
  }, [stranger]);
  const isAdmin = useSession()?.role === 'admin';
  return (
    <>
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          window.document.getElementById('main')?.focus();
        }}
      >
        To the content
      </a>
      <header className="app-bar">
        <a className="brand" href={linkTo()} aria-label="Pipelines">
          <svg viewBox="0 0 16 16" aria-hidden>
            <path d="M2 4h5v8h7" />
          </svg>
          <span className="wide-only">Pipelines</span>
        </a>
        <nav aria-label="Pages">
          {(isAdmin ? places : places.slice(0, -1)).map(([label, to, own]) => (
            <a
              key={label}
              href={linkTo(...to)}
              aria-current={(own as readonly string[]).includes(place) ? 'page' : undefined}
            >
              {label}
            </a>
          ))}
        </nav>
        <span className="space" />
        <Whoami />
        <select aria-label="Colours" value={theme} onChange={(event) => setTheme(event.target.value as Theme)}>
          {themes.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </header>
      <Banner />
      <Fallen key={`${address} ${stranger}`}>
        {stranger ? <LoginPage onLogin={loggedIn} /> : <Page route={route} />}
      </Fallen>
    </>
  );
}

function Page({ route }: { route: string[] }) {
  const [place = '', name, more] = route;
  if (more === undefined && name === undefined)
    switch (place) {
      case '':
        return <DashboardPage />;
      case 'workflows':
        return <WorkflowsPage />;
      case 'runs':
        return <RunsPage />;
      case 'compare':
        return <ComparePage />;
      case 'schedules':
        return <SchedulesPage />;
      case 'workers':
        return <WorkersPage />;
      case 'access':
        return <AccessPage />;
    }
  if (more === undefined && name !== undefined)
    switch (place) {
      case 'designer':
        return <DesignerPage key={name} name={name} />;
      case 'runs':
        return <RunPage key={name} id={name} />;
      case 'schedules':
        return <SchedulePage key={name} name={name} />;
      case 'artifacts':
        return <ArtifactPage key={name} hash={name} />;
    }
  return <NotFound address={`#/${route.join('/')}`} />;
}

function useTitle(place: string, name: string | undefined): void {
  useEffect(() => {
    const page = name ?? places.find(([, , own]) => (own as readonly string[]).includes(place))?.[0];
    window.document.title = page === undefined ? 'Pipelines' : `${page} · Pipelines`;
  }, [place, name]);
}

// Whoever follows a link with the keyboard goes on in the new page, not in the bar above it.
function useFocus(address: string): void {
  const before = useRef(address);
  useEffect(() => {
    if (before.current === address) return;
    before.current = address;
    if (window.document.activeElement?.closest('dialog')) return;
    window.document.getElementById('main')?.focus();
  }, [address]);
}
