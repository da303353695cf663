import type { MemoryResult, Result } from '../../models/result.ts';
import { bandwidthChart } from '../charts/bandwidth.ts';
import { type Alike, alike, alone, mean, meanOverTime } from '../cores.ts';
import { bandwidth, bytes, count, fraction, missing, percent, seconds, share } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import {
  type Column,
  figure,
  longTable,
  meansCaption,
  partName,
  section,
  spread,
  sum,
  summed,
  table,
  term,
} from './figure.ts';

/** Memories drawn in the chart; the table has all of them. */
const drawn = 6;

export const moved = (memory: MemoryResult) => memory.bytesRead + memory.bytesWritten;

export function bandwidthOverTime(result: Result): Markup | undefined {
  const series = result.timelines.bandwidth
    .filter((series) => series.values.length > 0)
    .map((series) => {
      const memory = result.memories.find((candidate) => candidate.name === series.name);
      const covered = sum(series.values, (value) => value) * series.bin;
      return {
        ...series,
        peak: memory?.peakBandwidth ?? 0,
        mean: memory?.bandwidth ?? fraction(covered, result.seconds),
      };
    });
  const rows = alike(
    series,
    ({ name }) => name,
    ({ bin, peak }) => [bin, peak],
  )
    .map(({ name, cores, members }) => ({
      name,
      cores,
      bin: members[0]!.bin,
      peak: members[0]!.peak,
      values: meanOverTime(members.map(({ values }) => values)),
      mean: mean(members.map((one) => one.mean)),
    }))
    .toSorted((a, b) => fraction(b.mean, b.peak) - fraction(a.mean, a.peak))
    .slice(0, drawn);
  return rows.length === 0
    ? undefined
    : section('bandwidthOverTime', bandwidthChart(rows, result.seconds), meansCaption(rows));
}

export type Memories = Alike<MemoryResult>;

export const rowAccesses = (memory: MemoryResult) => memory.rowHits + memory.rowMisses + memory.rowConflicts;

function memoryTable(memories: readonly MemoryResult[]): Markup {
  /** A figure of which a memory may lack the peak or the reads: then it is 0. */
  const orMissing = (write: (value: number) => string) => (value: number) => (value > 0 ? write(value) : missing);
  const columns: Column<Memories>[] = [
    { term: 'memory', cell: partName },
    { term: 'model', cell: ({ members }) => members[0]!.model },
    figure('capacity', (memory) => memory.capacity, bytes),
    figure('allocated', (memory) => memory.peakBytes, bytes),
    summed('bytesRead', (memory) => memory.bytesRead, bytes),
    summed('bytesWritten', (memory) => memory.bytesWritten, bytes),
    {
      term: 'bandwidth',
      numeric: true,
      cell: ({ members }) =>
        spread(
          members.map((memory) => memory.bandwidth),
          (value) => bandwidth(value, members[0]!.peakBandwidth || value),
        ),
    },
    figure('peakBandwidth', (memory) => memory.peakBandwidth, orMissing(bandwidth)),
    {
      term: 'bandwidthShare',
      numeric: true,
      cell: ({ members }) =>
        members.every((memory) => memory.peakBandwidth > 0)
          ? spread(
              members.map((memory) => memory.bandwidth / memory.peakBandwidth),
              percent,
            )
          : missing,
    },
    figure('readLatency', (memory) => memory.averageReadLatency, orMissing(seconds)),
  ];
  return longTable(
    columns,
    alike(memories, ({ name }) => name).toSorted((a, b) => sum(b.members, moved) - sum(a.members, moved)),
    memories.map((memory) => alone(memory.name, memory)),
    'memories',
  );
}

const counted = (key: 'rowHits' | 'rowMisses' | 'rowConflicts'): Column<Memories> => ({
  term: key,
  numeric: true,
  cell: ({ members }) =>
    markup`${count(mean(members.map((memory) => memory[key])))} <span class="soft">${share(
      fraction(
        sum(members, (memory) => memory[key]),
        sum(members, rowAccesses),
      ),
    )}</span>`,
});

/** What accesses found in their banks. */
export const rowColumns: Column<Memories>[] = [
  { term: 'memory', cell: partName },
  counted('rowHits'),
  counted('rowMisses'),
  counted('rowConflicts'),
];

/** Of memories that have rows; those of DRAM are told where the rest of DRAM is. */
function rowTable(memories: readonly MemoryResult[]): Markup | undefined {
  const withRows = memories.filter((memory) => memory.dram === undefined && rowAccesses(memory) > 0);
  if (withRows.length === 0) return undefined;
  return table(
    rowColumns,
    alike(withRows, ({ name }) => name),
  );
}

interface Traffic {
  memory: string;
  tensor: string;
  read: number;
  written: number;
  /** Of all tensors in this memory. */
  total: number;
}

function trafficTable(memories: readonly MemoryResult[]): Markup | undefined {
  const all = memories
    .flatMap((memory) =>
      Object.entries(memory.tensors).map(
        ([tensor, { read, written }]): Traffic => ({
          memory: memory.name,
          tensor,
          read,
          written,
          total: moved(memory),
        }),
      ),
    )
    .toSorted((a, b) => b.read + b.written - a.read - a.written);
  if (all.length === 0) return undefined;
  const columns: Column<Alike<Traffic>>[] = [
    { term: 'memory', cell: partName },
    { term: 'tensor', cell: ({ members }) => members[0]!.tensor },
    summed('bytesRead', (row) => row.read, bytes),
    summed('bytesWritten', (row) => row.written, bytes),
    {
      ...figure<Traffic>('traffic', (row) => fraction(row.read + row.written, row.total), percent),
      label: 'Of the memory’s traffic',
    },
  ];
  const rows = alike(
    all,
    ({ memory }) => memory,
    ({ tensor }) => [tensor],
  );
  return markup`<h3>${term('traffic')}</h3>${longTable(
    columns,
    rows,
    all.map((row) => alone(row.memory, row)),
    'tensors',
  )}`;
}

function commandTable(memories: readonly MemoryResult[]): Markup | undefined {
  const all = memories.flatMap((memory) =>
    Object.entries(memory.commands)
      .filter(([, issued]) => issued > 0)
      .map(([command, issued]) => ({ memory: memory.name, command, issued })),
  );
  if (all.length === 0) return undefined;
  const columns: Column<Alike<(typeof all)[number]>>[] = [
    { term: 'memory', cell: partName },
    { term: 'commands', label: 'Command', cell: ({ members }) => members[0]!.command },
    summed('commandCount', (row) => row.issued, count),
  ];
  const rows = alike(
    all,
    ({ memory }) => memory,
    ({ command }) => [command],
  );
  return markup`<h3>${term('commands')}</h3>${longTable(
    columns,
    rows,
    all.map((row) => alone(row.memory, row)),
    'commands',
  )}`;
}

export function memoryTables({ memories }: Result): Markup | undefined {
  if (memories.length === 0) return undefined;
  return section('memory', memoryTable(memories), rowTable(memories), trafficTable(memories), commandTable(memories));
}
