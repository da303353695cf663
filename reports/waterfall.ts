/** Which einsum of which tile runs on which engine in which cycles, as text. */
import type { Lane, Span, Waterfall } from '../models/waterfall.ts';
import { count, share } from './format.ts';

/** Marks of the tiles that the picture is about, and of all others. */
const marks = '123';
const otherTile = '·';
const leastColumns = 24;

/** Lines of at most `width` characters. Times are cycles from the start of what is shown. */
export function waterfallText(waterfall: Waterfall, width: number): string {
  const { clock, iterations, tiles, start, end } = waterfall;
  const groups = groupsOf(waterfall.lanes);
  const labels = groups.flatMap(({ title, rows }) => [title, ...rows.map(({ name }) => `  ${name}`)]);
  const left = Math.max(...labels.map((label) => label.length)) + 2;
  const room = Math.max(leastColumns, width - left - 6);
  const step = Math.max(1, Math.ceil((end - start) / room));
  const columns = Math.ceil((end - start) / step);
  const cells = (spans: readonly Span[], busiest: boolean): string =>
    Array.from({ length: columns }, (_, c) => {
      const from = start + c * step;
      return cellMark(spans, from, Math.min(end, from + step), waterfall, busiest);
    }).join('');
  const numbered = tiles.map(({ at }, i) => `  ${marks[i]}  ${at.join(', ') || 'the only one'}`);
  return [
    `${tiles.length === 1 ? 'one tile' : `${tiles.length} tiles beside each other`} of ${count(iterations)}; a column is ${count(step)} ${step === 1 ? 'cycle' : 'cycles'} of ${clock}`,
    ...numbered,
    `  ${otherTile}  another tile; blank: nothing`,
    '',
    `${' '.repeat(left)}${axis(columns, step)}`,
    ...groups.flatMap(({ title, rows, isEngine }) => [
      isEngine
        ? `${title.padEnd(left)}${cells(
            rows.flatMap(({ spans }) => spans),
            true,
          )} ${share(busyShare(rows, start, end)).padStart(5)}`
        : title,
      ...rows.map(({ name, spans }) => `  ${name}`.padEnd(left) + cells(spans, false)),
    ]),
    '',
    paceText(waterfall),
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

interface Group {
  readonly title: string;
  readonly isEngine: boolean;
  readonly rows: readonly { readonly name: string; readonly spans: readonly Span[] }[];
}

/** Engines with their einsums, then all transfers of tensors. */
function groupsOf(lanes: readonly Lane[]): Group[] {
  const engines = [...new Set(lanes.filter(({ kind }) => kind !== 'dma').map(({ engine }) => engine))];
  const transfers = lanes.filter(({ kind }) => kind === 'dma');
  const moved = transfers.map(({ name, stores, spans }) => ({ name: `${stores ? 'store' : 'load'} ${name}`, spans }));
  return [
    ...engines.map((engine) => {
      const rows = lanes.filter((lane) => lane.engine === engine);
      return { title: engine, isEngine: true, rows: together(rows) };
    }),
    ...(moved.length > 0 ? [{ title: 'memory', isEngine: false, rows: moved }] : []),
  ];
}

/** The phases of an einsum in folds on one line. */
function together(lanes: readonly Lane[]): Group['rows'] {
  const names = [...new Set(lanes.map(({ name }) => name))];
  return names.map((name) => ({
    name,
    spans: lanes.filter((lane) => lane.name === name).flatMap(({ spans }) => spans),
  }));
}

/** `busiest`: the tile that has most of the cell, else one of the shown ones wherever it has any of it. */
function cellMark(spans: readonly Span[], from: number, to: number, { tiles }: Waterfall, busiest: boolean): string {
  const cycles = new Map<string, number>();
  for (const { tile, start, end } of spans) {
    const shared = Math.min(end, to) - Math.max(start, from);
    if (shared <= 0) continue;
    const mark = marks[tiles.findIndex((one) => one.tile === tile)] ?? otherTile;
    cycles.set(mark, (cycles.get(mark) ?? 0) + shared);
  }
  const ranked = [...cycles].sort(([, a], [, b]) => b - a);
  const shown = busiest ? undefined : ranked.find(([mark]) => mark !== otherTile);
  return (shown ?? ranked[0])?.[0] ?? ' ';
}

/** Cycles at every tenth column, each where it is. */
function axis(columns: number, step: number): string {
  let line = '';
  for (let column = 0; column < columns; column += 10) {
    if (line.length > column - 1 && column > 0) continue;
    line = line.padEnd(column) + count(column * step);
  }
  return line;
}

function busyShare(rows: Group['rows'], start: number, end: number): number {
  const busy = rows
    .flatMap(({ spans }) => spans)
    .reduce((sum, span) => sum + Math.min(end, span.end) - Math.max(start, span.start), 0);
  return busy / (end - start);
}

/** How long a tile takes, how soon the next one follows, and how many are under way. */
function paceText({ lanes, tiles, inFlight }: Waterfall): string {
  const computing = lanes.filter(({ kind }) => kind !== 'dma').flatMap(({ spans }) => spans);
  const lives = tiles.map(({ tile }) => {
    const own = computing.filter((span) => span.tile === tile);
    return { start: Math.min(...own.map(({ start }) => start)), end: Math.max(...own.map(({ end }) => end)) };
  });
  const first = lives[0]!;
  const last = lives.at(-1)!;
  const length = Math.round(lives.reduce((sum, { start, end }) => sum + end - start, 0) / lives.length);
  const takes = `a tile takes ${count(length)} cycles`;
  if (lives.length === 1) return takes;
  const apart = Math.round((last.end - first.end) / (lives.length - 1));
  const overlap = `${inFlight > 1 ? `up to ${inFlight}` : 'no two'} are under way at a time${isInTurn(lanes) ? ', and every engine ends one before it begins the next' : ''}`;
  return `${takes}, the next one ends ${count(apart)} later, ${overlap}`;
}

/** Whether no engine goes back to a tile after it has begun a later one. */
function isInTurn(lanes: readonly Lane[]): boolean {
  const computing = lanes.filter(({ kind }) => kind !== 'dma');
  return [...new Set(computing.map(({ engine }) => engine))].every((engine) => {
    const own = computing.filter((lane) => lane.engine === engine).flatMap(({ spans }) => spans);
    const inTime = own.sort((a, b) => a.start - b.start);
    return inTime.every(({ tile }, i) => i === 0 || tile >= inTime[i - 1]!.tile);
  });
}
