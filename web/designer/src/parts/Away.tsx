import { linkTo } from '../hooks/useRoute';

interface Props {
  what: string;
  error: string;
  onRetry: () => void;
}

/** A page whose thing cannot be shown: why, and what can be done. */
export function Away({ what, error, onRetry }: Props) {
  return (
    <main className="page" id="main" tabIndex={-1}>
      <h1>{what} cannot be shown</h1>
      <p className="fault" role="alert">
        {error}
      </p>
      <div className="buttons">
        <button type="button" className="primary" onClick={onRetry}>
          Try again
        </button>
        <a className="button" href={linkTo()}>
          To the dashboard
        </a>
      </div>
    </main>
  );
}
