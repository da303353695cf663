import type { Result, SectionResult } from '../../models/result.ts';
import { bytes, count, percent, seconds, timeWithin } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { type Column, longTable, section, sum, table, term } from './figure.ts';

/** Names written out before "and n more". */
const namesShown = 8;

interface Numbered extends SectionResult {
  ordinal: number;
  duration: number;
}

function names(einsums: readonly string[]): string {
  const more = einsums.length - namesShown;
  return more > 0 ? `${einsums.slice(0, namesShown).join(', ')} and ${more} more` : einsums.join(', ');
}

function loopNest(loops: SectionResult['loops']): Markup {
  const numbered = loops.map((loop, depth) => ({ ...loop, depth }));
  return table(
    [
      {
        term: 'loops',
        label: 'Loop',
        cell: (loop) => markup`<code style="padding-left:${Math.min(loop.depth, 12) * 0.9}em">for ${loop.rank}</code>`,
      },
      { term: 'trips', numeric: true, cell: (loop) => count(loop.trips) },
      { term: 'tile', numeric: true, cell: (loop) => count(loop.tile) },
    ],
    numbered,
  );
}

function bufferTable(buffers: SectionResult['buffers']): Markup {
  const columns: Column<SectionResult['buffers'][number]>[] = [
    { term: 'memory', cell: (buffer) => buffer.memory },
    { term: 'tensor', cell: (buffer) => buffer.tensor },
    { term: 'tilesHeld', numeric: true, cell: (buffer) => count(buffer.tiles) },
    {
      term: 'bufferBytes',
      numeric: true,
      cell: (buffer) => bytes(buffer.bytes),
      rest: (others) => bytes(sum(others, (buffer) => buffer.bytes)),
    },
  ];
  const ranked = buffers.toSorted((a, b) => b.bytes - a.bytes);
  return longTable(columns, ranked, ranked, 'buffers');
}

function layout(part: Numbered): Markup {
  const loops = part.loops.length > 0 ? loopNest(part.loops) : markup`<p class="soft">no loops</p>`;
  const buffers = part.buffers.length > 0 ? bufferTable(part.buffers) : markup`<p class="soft">nothing on chip</p>`;
  return markup`<p><span class="soft">Einsums</span> ${names(part.einsums)} · ${term('interleave')} ${count(part.interleave)}</p>
<div class="columns"><div><h4>${term('loops')}</h4>${loops}</div><div><h4>${term('buffers')}</h4>${buffers}</div></div>`;
}

/** How the workload was laid on the machine: its sections, and the loops and buffers of each. */
export function mapping(result: Result): Markup | undefined {
  const parts = result.mapping.sections.map(
    (part, index): Numbered => ({ ...part, ordinal: index + 1, duration: part.end - part.start }),
  );
  if (parts.length === 0) return undefined;
  if (parts.length === 1) return section('sections', layout(parts[0]!));
  const ranked = parts.toSorted((a, b) => b.duration - a.duration);
  const of = (duration: number) => percent(result.seconds > 0 ? duration / result.seconds : 0);
  const time = (value: number) => timeWithin(value, result.seconds);
  const columns: Column<Numbered>[] = [
    { term: 'section', cell: (part) => `${part.ordinal}. ${part.name}` },
    { term: 'repeat', numeric: true, cell: (part) => count(part.repeat) },
    { term: 'start', numeric: true, cell: (part) => time(part.start) },
    { term: 'end', numeric: true, cell: (part) => time(part.end) },
    {
      term: 'duration',
      numeric: true,
      cell: (part) => time(part.duration),
      rest: (rows) => time(sum(rows, (row) => row.duration)),
    },
    {
      term: 'shareOfRun',
      numeric: true,
      cell: (part) => of(part.duration),
      rest: (rows) => of(sum(rows, (row) => row.duration)),
    },
    {
      term: 'buffers',
      label: 'On chip',
      numeric: true,
      cell: (part) => bytes(sum(part.buffers, (buffer) => buffer.bytes)),
    },
    { term: 'einsum', label: 'Einsums', cell: (part) => names(part.einsums) },
  ];
  const folded = parts.map(
    (part) =>
      markup`<details><summary>${part.ordinal}. ${part.name}<span class="soft"> ${part.repeat > 1 ? `× ${count(part.repeat)}, ` : ''}${seconds(part.duration)}</span></summary>${layout(part)}</details>\n`,
  );
  return section(
    'sections',
    longTable(columns, ranked, parts, 'sections'),
    markup`<h3>${term('loops')} and ${term('buffers')} of each section</h3>`,
    folded,
  );
}
