import { type Markup, markup } from '../markup.ts';
import { type Box, textWidth } from './frame.ts';

/** Rows one after another that lie in the same part: banks 4 to 7 of the chart in bank group 1. */
interface Run {
  first: number;
  /** One more than the last row's index. */
  end: number;
  /** What tells the part from its neighbours: `1` of `bank group 1`. */
  text: string;
}

/** The rows' names at one level, from the outermost to the rows themselves. */
export interface Level {
  /** `bank group`. */
  name: string;
  runs: readonly Run[];
}

/** Least heights of what bears a label of its own, and of what bears the range of the labels within, in pixels. */
const labelHeight = 11;
const rangeHeight = 20;
/** Between the columns of names. */
const columnGap = 14;

const split = (name: string): [level: string, text: string] => {
  const space = name.lastIndexOf(' ');
  return space < 0 ? ['', name] : [name.slice(0, space), name.slice(space + 1)];
};

function runsAt(paths: readonly (readonly string[])[], depth: number): Run[] {
  const runs: Run[] = [];
  const key = (path: readonly string[]) => JSON.stringify(path.slice(0, depth + 1));
  for (const [row, path] of paths.entries()) {
    const last = runs.at(-1);
    if (last !== undefined && key(paths[last.first] ?? []) === key(path)) last.end = row + 1;
    else runs.push({ first: row, end: row + 1, text: split(path[depth] ?? '')[1] });
  }
  return runs;
}

/**
 * Names of rows by level: of `rank 0, bank group 1, bank 2` the ranks, the bank groups and the banks. A level that has a
 * single part tells nothing and is left out, but for the rows' own.
 */
export function levelsOf(paths: readonly (readonly string[])[]): Level[] {
  const depths = Math.max(1, ...paths.map((path) => path.length));
  return Array.from({ length: depths }, (_, depth) => ({
    name: split(paths[0]?.[depth] ?? '')[0],
    runs: runsAt(paths, depth),
  })).filter(({ runs }, depth) => runs.length > 1 || depth === depths - 1);
}

const nameWidth = ({ name, runs }: Level): number =>
  Math.max(textWidth(name), ...runs.map(({ text }) => textWidth(text)));

/** Room for the columns of names, in pixels. */
export const levelsWidth = (levels: readonly Level[]): number =>
  levels.reduce((width, level) => width + nameWidth(level) + columnGap, 0);

const least = (runs: readonly Run[], rowHeight: number): number =>
  rowHeight * Math.min(...runs.map(({ first, end }) => end - first));

/** A label for each run of a level; where they are too low for that, the range of labels in each run of a level above. */
function labelsOf(levels: readonly Level[], index: number, rowHeight: number): readonly Run[] {
  const own = levels[index]?.runs ?? [];
  if (least(own, rowHeight) >= labelHeight) return own;
  const outer = levels.slice(0, index).findLast(({ runs }) => least(runs, rowHeight) >= rangeHeight);
  const spans = outer?.runs ?? [{ first: 0, end: own.at(-1)?.end ?? 0, text: '' }];
  return spans.map(({ first, end }) => {
    const within = own.filter((run) => run.first >= first && run.end <= end);
    const [from, to] = [within[0]?.text ?? '', within.at(-1)?.text ?? ''];
    return { first, end, text: from === to ? from : `${from}–${to}` };
  });
}

/** Columns of names left of a plot, one per level under its name, and brackets that hold together what has a name. */
export function levelColumns(levels: readonly Level[], box: Box, rowHeight: number): Markup[] {
  let right = box.left - levelsWidth(levels);
  return levels.map((level, index) => {
    right += nameWidth(level) + columnGap;
    const x = right - columnGap + 2;
    const labels = labelsOf(levels, index, rowHeight).map(({ first, end, text }) => {
      const middle = box.top + (rowHeight * (first + end)) / 2;
      return markup`<text class="soft" x="${x}" y="${middle + 4}" text-anchor="end">${text}</text>`;
    });
    const brackets =
      index === levels.length - 1
        ? undefined
        : level.runs.map(
            ({ first, end }) =>
              markup`<line class="axis" x1="${x + 5}" x2="${x + 5}" y1="${box.top + rowHeight * first + 1}" y2="${box.top + rowHeight * end - 1}"/>`,
          );
    return markup`<text x="${x}" y="${box.top - 8}" text-anchor="end">${level.name}</text>${labels}${brackets}`;
  });
}

/** Gaps through the plot between the parts of each level, wider for the outermost. */
export function levelGaps(levels: readonly Level[], box: Box, rowHeight: number): Markup[] {
  return levels.slice(0, -1).flatMap(({ runs }, index) => {
    const gap = index === 0 ? 2 : 1;
    return runs
      .slice(1)
      .map(
        ({ first }) =>
          markup`<rect class="f-paper" x="${box.left}" y="${box.top + rowHeight * first - gap / 2}" width="${box.width}" height="${gap}"/>`,
      );
  });
}
