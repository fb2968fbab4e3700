import { useMemo } from 'react';
import type { StageView } from '../api';
import { branchedNodes, branchesOf, isShown, type ChosenBranches } from './branches';

interface Props {
  stages: StageView[];
  chosen: ChosenBranches;
  onChoose: (chosen: ChosenBranches) => void;
}

/** Which branch of a matrix, or round of a repetition, the canvas shows; those inside offer what the chosen one has. */
export function BranchPicker({ stages, chosen, onChoose }: Props) {
  const nodes = useMemo(() => branchedNodes(stages), [stages]);
  return nodes.map((path) => {
    const { [path]: own, ...others } = chosen;
    const outer = Object.fromEntries(Object.entries(others).filter(([one]) => path.startsWith(`${one}/`)));
    const branches = branchesOf(
      stages.filter((stage) => isShown(stage.id, outer)),
      path,
    );
    return (
      <label key={path} className="branch-picker">
        {path}
        <select
          value={own ?? ''}
          onChange={({ target: { value } }) => {
            // What was chosen inside of another branch means nothing here.
            const kept = Object.fromEntries(Object.entries(others).filter(([one]) => !one.startsWith(`${path}/`)));
            onChoose(value === '' ? kept : { ...kept, [path]: value });
          }}
        >
          <option value="">all {branches.length}</option>
          {branches.map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>
      </label>
    );
  });
}
