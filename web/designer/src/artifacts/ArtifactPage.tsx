import { shortHash } from '../parts/format';
import { ArtifactBox } from './ArtifactBox';

/** One artifact by its hash. */
export function ArtifactPage({ hash }: { hash: string }) {
  return (
    <main className="page" id="main" tabIndex={-1}>
      <header className="page-header">
        <h1>Artifact {shortHash(hash)}</h1>
      </header>
      <ArtifactBox hash={hash} heading="h2" />
      <p className="hint hash">{hash}</p>
    </main>
  );
}
