import { useState } from 'react';
import { refused } from '../access/who';
import { uniqueName } from '../graph/document';
import { TextBox, Row } from '../designer/FieldRow';
import { Dialog } from '../parts/Dialog';
import { RoleButton } from '../parts/RoleButton';

interface Props {
  title: string;
  suggested: string;
  taken: string[];
  onClose: () => void;
  /** A rejection is shown, and the dialog stays. */
  onName: (name: string) => Promise<void>;
}

/** Asks what a workflow is to be called. */
export function NameDialog({ title, suggested, taken, onClose, onName }: Props) {
  const [name, setName] = useState(() => uniqueName(suggested, taken));
  const [failure, setFailure] = useState<string>();
  const fault = nameFault(name, taken) ?? failure;
  const create = () =>
    onName(name).then(onClose, (error: unknown) => setFailure(error instanceof Error ? error.message : `${error}`));
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <span className="space" />
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <RoleButton
            needs="operator"
            type="submit"
            form="name-form"
            className="primary"
            disabled={nameFault(name, taken) !== undefined}
          >
            Create
          </RoleButton>
        </>
      }
    >
      <form
        id="name-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!refused('operator')) void create();
        }}
      >
        <Row label="Name" hint="Schedules, runs and the command line call it so" error={fault}>
          {(id, hint) => (
            <TextBox
              id={id}
              describedBy={hint}
              value={name}
              invalid={fault !== undefined}
              onValue={(text) => {
                setFailure(undefined);
                setName(text);
              }}
            />
          )}
        </Row>
      </form>
    </Dialog>
  );
}

function nameFault(name: string, taken: string[]): string | undefined {
  if (name.trim() === '' || /[/\\\0]/.test(name)) return 'a text without slashes is expected';
  return taken.includes(name) ? `there is a workflow '${name}' already` : undefined;
}
