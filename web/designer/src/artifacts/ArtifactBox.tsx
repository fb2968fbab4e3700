import { api, files } from '../api';
import { useFetched } from '../hooks/useFetched';
import { linkTo } from '../hooks/useRoute';
import { plural, shortHash, size } from '../parts/format';
import { LineageGraph } from './LineageGraph';

/** An artifact: what made it, where it comes from, and its files to take away. */
export function ArtifactBox({ hash, heading: Heading = 'h3' }: { hash: string; heading?: 'h2' | 'h3' }) {
  const { data, error } = useFetched(() => api.artifact(hash), `artifact ${hash}`);
  const lineage = useFetched(() => api.lineage(hash), `lineage ${hash}`);
  if (error)
    return (
      <p className="fault" role="alert">
        {error}
      </p>
    );
  if (!data) return <p className="empty">Looking it up…</p>;
  return (
    <>
      <p className="artifact-facts">
        <code title={hash}>{shortHash(hash)}</code> {size(data.size)}, {plural(data.files.length, 'file')}
        {data.madeBy.length > 0 && (
          <span className="hint">
            made by{' '}
            {data.madeBy.slice(0, 5).map(({ run, stage }, index) => (
              <span key={`${run} ${stage}`}>
                {index > 0 && ', '}
                <a href={linkTo('runs', run)}>{stage}</a>
              </span>
            ))}
            {data.madeBy.length > 5 && ` and ${data.madeBy.length - 5} more`}
          </span>
        )}
        <span className="space" />
        <a className="button primary" href={files.archive(hash)} download>
          Download all (zip)
        </a>
      </p>
      <details>
        <summary>Files</summary>
        <ul className="files">
          {data.files.map((file) => (
            <li key={file.name}>
              <a href={files.one(hash, file.name)} download={file.name}>
                {file.name}
              </a>
              <span className="hint">{size(file.size)}</span>
            </li>
          ))}
        </ul>
      </details>
      {lineage.data && lineage.data.nodes.length > 1 && (
        <>
          <Heading>Where it comes from</Heading>
          <LineageGraph lineage={lineage.data} current={hash} />
          {lineage.data.truncated && <p className="hint">There is more of it: these are the nearest stages.</p>}
        </>
      )}
      {lineage.error && <p className="hint">Its lineage cannot be shown: {lineage.error}</p>}
    </>
  );
}
