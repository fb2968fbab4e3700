/** Every model that a run measured, by a name of its own. */
import type { Json } from '../graph/document';
import { written } from '../parts/format';
import { equal } from '../graph/difference';
import { nodeOf } from './branches';
import {
  isComparison,
  isMeasurement,
  isRanking,
  isReference,
  outputsOf,
  valuesOf,
  variablesText,
  type Figures,
} from './results';

interface Measuring {
  outputs: Record<string, Json>;
  stages: { id: string; outputs?: Record<string, Json> | null; variables?: Record<string, Json> | null }[];
}

interface Measured {
  label: string;
  /** The label, where a picture has little room. */
  mark?: string;
  figures: Figures;
  /** What the others are compared with. */
  reference?: boolean;
}

type Variables = Record<string, Json> | null | undefined;

const markOf = (variables: Variables): { mark?: string } => {
  const mark = valuesOf(variables)
    .map(([, value]) => written(value))
    .join(' ');
  return mark === '' ? {} : { mark };
};

/** Reports and rankings know what their models are; without them each measurement is one. */
export function measured(run: Measuring): Measured[] {
  const told = [...compared(run), ...ranked(run)];
  return told.length > 0 ? told : alone(run);
}

function compared(run: Measuring): Measured[] {
  const all = outputsOf(run, isComparison);
  return all.flatMap(({ name, value: { dense, pruned, recovered }, variables }, index) => {
    const branch = variablesText(variables) || (all.length > 1 ? name : '');
    const { mark } = markOf(variables);
    const one = (label: string, figures: Figures): Measured => ({
      label: branch === '' ? label : `${label} (${branch})`,
      ...(branch === '' ? {} : { mark: `${mark ?? name} ${label}` }),
      figures,
    });
    // The branches of a matrix begin with one dense model.
    const first = all.findIndex((other) => equal(other.value.dense, dense));
    return [
      ...(first < index
        ? []
        : [{ ...(index === 0 ? { label: 'dense', figures: dense } : one('dense', dense)), reference: true }]),
      one('pruned', pruned),
      ...(recovered ? [one('recovered', recovered)] : []),
    ];
  });
}

const ranked = (run: Measuring): Measured[] =>
  outputsOf(run, isRanking).flatMap(({ value }) =>
    value.models.map((model) => ({
      label: variablesText(model.variables) || model.stage,
      ...markOf(model.variables),
      figures: model.figures,
      ...(isReference(model) ? { reference: true } : {}),
    })),
  );

function alone(run: Measuring): Measured[] {
  const all = run.stages.flatMap((stage) =>
    outputsOf({ outputs: stage.outputs ?? {}, stages: [] }, isMeasurement).map(({ value }) => ({
      stage,
      figures: value,
    })),
  );
  const named = all.map(({ stage }) => variablesText(stage.variables));
  return all.map(({ stage, figures }, index) => {
    const values = named[index]!;
    // One branch may measure more than one model.
    const isOnly = named.filter((other) => other === values).length === 1;
    const node = nodeOf(stage.id);
    const { mark } = markOf(stage.variables);
    return {
      label: values === '' ? stage.id : isOnly ? values : `${node} (${values})`,
      ...(mark === undefined ? {} : { mark: isOnly ? mark : `${mark} ${node.split('/').at(-1)}` }),
      figures,
      ...(/dense/.test(stage.id) ? { reference: true } : {}),
    };
  });
}
