import { Component, type ReactNode } from 'react';

/** What is shown when drawing a page fails: what happened, and a way back, instead of nothing. */
export class Fallen extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <main className="page" id="main" tabIndex={-1}>
        <h1>This page failed</h1>
        <p className="fault" role="alert">
          {error.message}
        </p>
        <p>Drafts are saved as they change. Open the page again to go on.</p>
        <div className="buttons">
          <button type="button" className="primary" onClick={() => window.location.reload()}>
            Open again
          </button>
        </div>
      </main>
    );
  }
}
