import { api } from '../api';
import { useEditor } from '../designer/store';
import { useFetched } from '../hooks/useFetched';
import { go } from '../hooks/useRoute';
import { NameDialog } from './NameDialog';

/** The draft once more under another name. */
export function CopyDialog({ onClose }: { onClose: () => void }) {
  const name = useEditor((state) => state.name);
  const { data } = useFetched(api.definitions, 'names');
  if (!data) return null;
  return (
    <NameDialog
      title={`Copy ${name}`}
      suggested={`${name}-copy`}
      taken={data.map((one) => one.name)}
      onClose={onClose}
      onName={async (copy) => {
        await api.save(copy, { ...useEditor.getState().history.present, name: copy }, 0);
        go('designer', copy);
      }}
    />
  );
}
