import { linkTo } from '../hooks/useRoute';

/** An address that leads nowhere. */
export function NotFound({ address }: { address: string }) {
  return (
    <main className="page" id="main" tabIndex={-1}>
      <h1>There is no such page</h1>
      <p className="long">
        <code>{address}</code> leads nowhere. It may have been cut when it was copied.
      </p>
      <div className="buttons">
        <a className="button primary" href={linkTo()}>
          To the dashboard
        </a>
        <a className="button" href={linkTo('workflows')}>
          To the workflows
        </a>
      </div>
    </main>
  );
}
