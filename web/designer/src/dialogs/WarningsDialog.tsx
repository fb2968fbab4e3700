import type { ImportWarning } from '../api';
import { Dialog } from '../parts/Dialog';

/** What of an imported workflow is kept without a meaning here. */
export function WarningsDialog({ warnings, onClose }: { warnings: ImportWarning[]; onClose: () => void }) {
  return (
    <Dialog title="Imported from Elsa" onClose={onClose}>
      <p className="hint">What has no meaning here is kept, and goes back to Elsa as it came.</p>
      <ul>
        {warnings.map(({ stage, message }, index) => (
          <li key={index}>
            {stage && <strong>{stage}: </strong>}
            {message}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
