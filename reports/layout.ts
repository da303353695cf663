/** How a section is laid on a machine, as text: what the mapping says and what the binder chose. */
import type { Section } from '../models/binding/program.ts';
import { bytes, count } from './format.ts';

/** Lines of a section. `capacities` are bytes by scratchpad. */
export function layoutText(section: Section, capacities: ReadonlyMap<string, number>): string {
  const lines: (readonly [label: string, text: string])[] = [
    ['loops', loopsText(section)],
    ['tile', tileText(section)],
    ...section.engines
      .toArray()
      .filter(({ kind }) => kind !== 'dma')
      .map(({ engine, ops }) => [`on ${engine}`, [...new Set(ops.map(({ name }) => name))].join(' ')] as const),
    ...buffersText(section, capacities),
    ['interleave', section.interleave === 1 ? 'none' : `${section.interleave} rounds`],
  ];
  const width = Math.max(...lines.map(([label]) => label.length));
  const title = `section ${section.einsums.join(' ')}`;
  return [title, ...lines.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`)].join('\n');
}

function loopsText({ loops }: Section): string {
  const shown = loops.filter(({ trips }) => trips > 1).map(({ name, trips }) => `${name} ${count(trips)}`);
  return shown.isEmpty() ? 'none: one tile' : `${shown.join(' > ')}, outer to inner`;
}

/** `p 256 of 1,024, e 64`: ranks that a tile has a part of, and those that it has all of. */
function tileText({ tiles }: Section): string {
  const shown = [...tiles].filter(([, { tile }]) => tile > 1).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = shown.map(([variable, { tile, extent }]) => {
    return `${variable} ${count(tile)}${tile < extent ? ` of ${count(extent)}` : ''}`;
  });
  return text.length > 0 ? text.join(', ') : 'one point';
}

function buffersText({ buffers }: Section, capacities: ReadonlyMap<string, number>): (readonly [string, string])[] {
  return [...buffers.groupBy(({ memory }) => memory)].map(([memory, held]) => {
    const all = held.reduce((sum, buffer) => sum + buffer.bytes, 0);
    const capacity = capacities.get(memory);
    const each = held
      .sortBy((buffer) => -buffer.bytes)
      .map(({ tensor, tiles, bytes: size }) => `${tensor} ${count(tiles)} x ${bytes(Math.ceil(size / tiles))}`);
    return [`in ${memory}`, `${bytes(all)}${capacity ? ` of ${bytes(capacity)}` : ''}: ${each.join(', ')}`] as const;
  });
}
