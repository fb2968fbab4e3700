/** Drawn here, so that no font has to have them. */
const paths = {
  undo: 'M6 4 2.5 7.5 6 11M3 7.5h6.5a3.5 3.5 0 0 1 0 7H7',
  redo: 'M10 4l3.5 3.5L10 11M13 7.5H6.5a3.5 3.5 0 0 0 0 7H9',
  tidy: 'M2 3h4v4H2zM10 1.5h4v4h-4zM10 10h4v4h-4zM6 5h2v-1.5h2M8 5v7h2',
  search: 'M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2zM10.8 10.8 14.5 14.5',
  plus: 'M8 2.5v11M2.5 8h11',
  panel: 'M2 3h12v10H2zM10 3v10',
  close: 'M4 4l8 8M12 4l-8 8',
  down: 'M3.5 6 8 10.5 12.5 6',
  right: 'M6 3.5 10.5 8 6 12.5',
  play: 'M5 3l8 5-8 5z',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={`symbol symbol-${name}`} viewBox="0 0 16 16" aria-hidden>
      <path d={paths[name]} />
    </svg>
  );
}
