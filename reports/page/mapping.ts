import type { FoldsResult, Result, SectionResult } from '../../models/result.ts';
import { type Block, blocksOf } from '../blocks.ts';
import { type Alike, alike, alone } from '../cores.ts';
import { bytes, count, percent, seconds, timeWithin } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { type Column, figure, longTable, partName, section, sum, summed, table, term } from './figure.ts';

/** Names written out before "and n more". */
const namesShown = 8;

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

type Buffer = SectionResult['buffers'][number];

function bufferTable(buffers: readonly Buffer[]): Markup {
  const columns: Column<Alike<Buffer>>[] = [
    { term: 'memory', cell: partName },
    { term: 'tensor', cell: ({ members }) => members[0]!.tensor },
    figure('tilesHeld', (buffer) => buffer.tiles, count),
    summed('bufferBytes', (buffer) => buffer.bytes, bytes),
  ];
  const ranked = buffers.toSorted((a, b) => b.bytes - a.bytes);
  const rows = alike(
    ranked,
    ({ memory }) => memory,
    ({ tensor }) => [tensor],
  );
  return longTable(
    columns,
    rows,
    ranked.map((buffer) => alone(buffer.memory, buffer)),
    'buffers',
  );
}

function productOf({ m, n, k, batch }: FoldsResult): string {
  return `${batch > 1 ? `${count(batch)} of ` : ''}${[m, n, k].map(count).join(' × ')}`;
}

const foldColumns: Column<FoldsResult>[] = [
  { term: 'product', label: 'M × N × K', cell: productOf },
  { term: 'fold', numeric: true, cell: (folds) => count(folds.count) },
  { term: 'foldCycles', numeric: true, cell: (folds) => count(folds.cyclesPerFold) },
  { term: 'mappingEfficiency', numeric: true, cell: (folds) => percent(folds.mappingEfficiency) },
];

interface Folded extends FoldsResult {
  section: string;
}

/** The sections that ran in folds, those with most cycles of folds first. */
function foldTable(blocks: readonly Numbered[]): Markup | undefined {
  const all = blocks.flatMap((block) =>
    block.sections.flatMap((part, index): (Folded & { cycles: number })[] =>
      part.folds === undefined
        ? []
        : [
            {
              ...part.folds,
              section: `${sectionNumber(block, index)} ${part.name}`,
              cycles: part.folds.count * part.folds.cyclesPerFold * part.repeat,
            },
          ],
    ),
  );
  if (all.length === 0) return undefined;
  const columns: Column<Folded>[] = [{ term: 'section', cell: ({ section }) => section }, ...foldColumns];
  const ranked = all.toSorted((a, b) => b.cycles - a.cycles);
  return markup`<h3>${term('fold')}</h3>${longTable(columns, ranked, all, 'sections in folds')}`;
}

function layout(part: SectionResult): Markup {
  const loops = part.loops.length > 0 ? loopNest(part.loops) : markup`<p class="soft">no loops</p>`;
  const buffers = part.buffers.length > 0 ? bufferTable(part.buffers) : markup`<p class="soft">nothing on chip</p>`;
  return markup`<p><span class="soft">Einsums</span> ${names(part.einsums)} · ${term('interleave')} ${count(part.interleave)}</p>
${part.folds && table(foldColumns, [part.folds])}
<div class="columns"><div><h4>${term('loops')}</h4>${loops}</div><div><h4>${term('buffers')}</h4>${buffers}</div></div>`;
}

interface Numbered extends Block {
  ordinal: number;
  duration: number;
}

/** `8.` of a section by itself, `8.2` of the second one of a block. */
const sectionNumber = ({ ordinal, sections }: Numbered, index: number): string =>
  sections.length > 1 ? `${ordinal}.${index + 1}` : `${ordinal}.`;

const onChip = ({ buffers }: SectionResult): number => sum(buffers, (buffer) => buffer.bytes);

const einsumsOf = ({ sections }: Numbered): string[] => sections.flatMap(({ einsums }) => einsums);

/** The loops and buffers of each section, those of a block together. */
function layouts(block: Numbered): Markup {
  const { ordinal, name, repeat, duration, sections } = block;
  const inside =
    sections.length === 1
      ? layout(sections[0]!)
      : sections.map(
          (part, index) =>
            markup`<details><summary>${sectionNumber(block, index)} ${part.name}</summary>${layout(part)}</details>\n`,
        );
  const often = repeat > 1 ? `× ${count(repeat)}, ` : '';
  return markup`<details><summary>${ordinal}. ${name}<span class="soft"> ${often}${seconds(duration)}</span></summary><div class="inside">${inside}</div></details>\n`;
}

/** How the workload was laid on the machine: its sections, and the loops, buffers and folds of each. */
export function mapping(result: Result): Markup | undefined {
  const blocks = blocksOf(result).map(
    (block, index): Numbered => ({ ...block, ordinal: index + 1, duration: block.end - block.start }),
  );
  // A model that is served has no loops.
  if (blocks.length === 0 || result.serving !== undefined) return undefined;
  if (result.mapping.sections.length === 1) return section('sections', layout(result.mapping.sections[0]!));
  const ranked = blocks.toSorted((a, b) => b.duration - a.duration);
  const of = (duration: number) => percent(result.seconds > 0 ? duration / result.seconds : 0);
  const time = (value: number) => timeWithin(value, result.seconds);
  const columns: Column<Numbered>[] = [
    { term: 'section', cell: (block) => markup`<span class="part">${block.ordinal}.\u00a0${block.name}</span>` },
    { term: 'repeat', numeric: true, cell: (block) => count(block.repeat) },
    { term: 'start', numeric: true, cell: (block) => time(block.start) },
    { term: 'end', numeric: true, cell: (block) => time(block.end) },
    {
      term: 'duration',
      numeric: true,
      cell: (block) => time(block.duration),
      rest: (rows) => time(sum(rows, (row) => row.duration)),
    },
    {
      term: 'shareOfRun',
      numeric: true,
      cell: (block) => of(block.duration),
      rest: (rows) => of(sum(rows, (row) => row.duration)),
    },
    {
      term: 'buffers',
      label: 'On chip',
      numeric: true,
      cell: (block) => bytes(Math.max(...block.sections.map(onChip))),
    },
    {
      term: 'einsum',
      label: 'Einsums',
      cell: (block) => markup`<span class="names">${names(einsumsOf(block))}</span>`,
    },
  ];
  const isNamed = (block: Numbered) => einsumsOf(block).join(' ') === block.name;
  const shown = blocks.every(isNamed) ? columns.slice(0, -1) : columns;
  return section(
    'sections',
    longTable(shown, ranked, blocks, 'sections'),
    foldTable(blocks),
    markup`<h3>${term('loops')} and ${term('buffers')} of each section</h3>`,
    blocks.map(layouts),
  );
}
