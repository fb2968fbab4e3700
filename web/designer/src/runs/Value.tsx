import { linkTo } from '../hooks/useRoute';
import { shortHash, size, written } from '../parts/format';
import { artifactsIn } from './artifacts';

/** A value for people: artifacts as links, numbers short, the rest as it is written. */
export function Value({ value }: { value: unknown }) {
  const artifacts = artifactsIn(value, '');
  if (artifacts.length > 0)
    return (
      <span className="artifact-links">
        {artifacts.map(({ hash, bytes }, index) => (
          <a key={index} href={linkTo('artifacts', hash)} title={hash}>
            <code>{shortHash(hash)}</code>
            {bytes !== undefined && ` ${size(bytes)}`}
          </a>
        ))}
      </span>
    );
  if (typeof value === 'number')
    return Number.isInteger(value) ? value.toLocaleString() : `${Number(value.toPrecision(6))}`;
  const isFlat = Array.isArray(value) && value.every((one) => one === null || typeof one !== 'object');
  if (value !== null && typeof value === 'object' && !isFlat) return <pre>{JSON.stringify(value, null, 1)}</pre>;
  return written(value);
}
