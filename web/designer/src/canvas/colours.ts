/** Families and port types have hues, so that a new one has a colour without anybody choosing it. */
import type { CSSProperties } from 'react';
import { elementOf, unknown } from '../graph/ports';
import { isNote, type CanvasNode } from './notes';

const families: Record<string, number> = {
  data: 190,
  model: 222,
  calibrate: 40,
  prune: 350,
  quantize: 300,
  finetune: 268,
  evaluate: 145,
  export: 205,
  report: 240,
};
const types: Record<string, number> = {
  checkpoint: 222,
  dataset: 190,
  statistics: 40,
  measurement: 145,
  choices: 175,
  images: 165,
  choiceMeasurement: 130,
  memorizationMeasurement: 115,
  comparison: 240,
  export: 205,
  double: 25,
};

// FNV, spread by the golden angle.
function hash(text: string): number {
  let value = 2166136261;
  for (const character of text) value = Math.imul(value ^ character.charCodeAt(0), 16777619) >>> 0;
  return Math.round((value % 1000) * 137.508) % 360;
}

export const familyOf = (kind: string | undefined): string => kind?.split('.')[0] ?? '';
export const familyHue = (family: string): number => families[family] ?? hash(family);
const typeHue = (type: string): number => types[elementOf(type)] ?? hash(elementOf(type));

/** `--hue` and `--chroma` for the style sheet; what has no type is grey. */
export const typeStyle = (type: string): CSSProperties =>
  ({ '--hue': typeHue(type), '--chroma': type === unknown ? '0%' : '62%' }) as CSSProperties;
export const familyStyle = (family: string): CSSProperties => ({ '--hue': familyHue(family) }) as CSSProperties;
export const edgeColour = (type: string): string =>
  `hsl(${typeHue(type)} ${type === unknown ? '0%' : '55%'} var(--edge-light))`;

/** The colour of a node on the small map. */
export const mapColour = (node: CanvasNode): string =>
  isNote(node)
    ? 'hsl(48 60% 60% / 0.4)'
    : `hsl(${familyHue(familyOf(node.data.node.stage.kind))} 45% 55% / ${node.type === 'group' ? 0.2 : 0.9})`;
