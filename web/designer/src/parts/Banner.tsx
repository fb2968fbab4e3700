import { api } from '../api';
import { useReach } from '../hooks/reach';
import { useTicking } from '../hooks/useTicking';

/** Over every page: that the server is away, until it is back. */
export function Banner() {
  const reach = useReach();
  const retry = () => void api.session().catch(() => undefined);
  useTicking(retry, 3000, reach === 'away');
  if (reach === 'away')
    return (
      <div className="banner" role="alert">
        The server does not answer. What is shown may be old; it is asked again every few seconds.{' '}
        <button type="button" className="small" onClick={retry}>
          Try now
        </button>
      </div>
    );
  return null;
}
