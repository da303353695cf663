import type { MemoryResult, Result } from '../../models/result.ts';
import { bandwidthChart } from '../charts/bandwidth.ts';
import { bandwidth, bytes, count, fraction, missing, percent, seconds, share } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { type Column, longTable, section, sum, table, term } from './figure.ts';

/** Memories drawn in the chart; the table has all of them. */
const drawn = 6;

const moved = (memory: MemoryResult) => memory.bytesRead + memory.bytesWritten;

export function bandwidthOverTime(result: Result): Markup | undefined {
  const rows = result.timelines.bandwidth
    .filter((series) => series.values.length > 0)
    .map((series) => {
      const memory = result.memories.find((candidate) => candidate.name === series.name);
      const covered = sum(series.values, (value) => value) * series.bin;
      return {
        ...series,
        peak: memory?.peakBandwidth ?? 0,
        mean: memory?.bandwidth ?? fraction(covered, result.seconds),
      };
    })
    .toSorted((a, b) => fraction(b.mean, b.peak) - fraction(a.mean, a.peak))
    .slice(0, drawn);
  return rows.length === 0 ? undefined : section('bandwidthOverTime', bandwidthChart(rows, result.seconds));
}

const rowAccesses = (memory: MemoryResult) => memory.rowHits + memory.rowMisses + memory.rowConflicts;

function memoryTable(memories: readonly MemoryResult[]): Markup {
  const columns: Column<MemoryResult>[] = [
    { term: 'memory', cell: (memory) => memory.name },
    { term: 'model', cell: (memory) => memory.model },
    { term: 'capacity', numeric: true, cell: (memory) => bytes(memory.capacity) },
    { term: 'allocated', numeric: true, cell: (memory) => bytes(memory.peakBytes) },
    {
      term: 'bytesRead',
      numeric: true,
      cell: (memory) => bytes(memory.bytesRead),
      rest: (others) => bytes(sum(others, (memory) => memory.bytesRead)),
    },
    {
      term: 'bytesWritten',
      numeric: true,
      cell: (memory) => bytes(memory.bytesWritten),
      rest: (others) => bytes(sum(others, (memory) => memory.bytesWritten)),
    },
    {
      term: 'bandwidth',
      numeric: true,
      cell: (memory) => bandwidth(memory.bandwidth, memory.peakBandwidth || memory.bandwidth),
    },
    {
      term: 'peakBandwidth',
      numeric: true,
      cell: (memory) => (memory.peakBandwidth > 0 ? bandwidth(memory.peakBandwidth) : missing),
    },
    {
      term: 'bandwidthShare',
      numeric: true,
      cell: (memory) => (memory.peakBandwidth > 0 ? percent(memory.bandwidth / memory.peakBandwidth) : missing),
    },
    {
      term: 'readLatency',
      numeric: true,
      cell: (memory) => (memory.averageReadLatency > 0 ? seconds(memory.averageReadLatency) : missing),
    },
  ];
  return longTable(
    columns,
    memories.toSorted((a, b) => moved(b) - moved(a)),
    memories,
    'memories',
  );
}

function rowTable(memories: readonly MemoryResult[]): Markup | undefined {
  const withRows = memories.filter((memory) => rowAccesses(memory) > 0);
  if (withRows.length === 0) return undefined;
  const counted = (value: number, memory: MemoryResult) =>
    markup`${count(value)} <span class="soft">${share(fraction(value, rowAccesses(memory)))}</span>`;
  return table<MemoryResult>(
    [
      { term: 'memory', cell: (memory) => memory.name },
      { term: 'rowHits', numeric: true, cell: (memory) => counted(memory.rowHits, memory) },
      { term: 'rowMisses', numeric: true, cell: (memory) => counted(memory.rowMisses, memory) },
      { term: 'rowConflicts', numeric: true, cell: (memory) => counted(memory.rowConflicts, memory) },
    ],
    withRows,
  );
}

interface Traffic {
  memory: string;
  tensor: string;
  read: number;
  written: number;
  total: number;
}

function trafficTable(memories: readonly MemoryResult[]): Markup | undefined {
  const rows = memories.flatMap((memory) =>
    Object.entries(memory.tensors).map(
      ([tensor, { read, written }]): Traffic => ({ memory: memory.name, tensor, read, written, total: moved(memory) }),
    ),
  );
  if (rows.length === 0) return undefined;
  const columns: Column<Traffic>[] = [
    { term: 'memory', cell: (row) => row.memory },
    { term: 'tensor', cell: (row) => row.tensor },
    {
      term: 'bytesRead',
      numeric: true,
      cell: (row) => bytes(row.read),
      rest: (others) => bytes(sum(others, (row) => row.read)),
    },
    {
      term: 'bytesWritten',
      numeric: true,
      cell: (row) => bytes(row.written),
      rest: (others) => bytes(sum(others, (row) => row.written)),
    },
    {
      term: 'traffic',
      label: 'Of the memory’s traffic',
      numeric: true,
      cell: (row) => percent(fraction(row.read + row.written, row.total)),
    },
  ];
  const ranked = rows.toSorted((a, b) => b.read + b.written - a.read - a.written);
  return markup`<h3>${term('traffic')}</h3>${longTable(columns, ranked, ranked, 'tensors')}`;
}

function commandTable(memories: readonly MemoryResult[]): Markup | undefined {
  const rows = memories.flatMap((memory) =>
    Object.entries(memory.commands)
      .filter(([, issued]) => issued > 0)
      .map(([command, issued]) => ({ memory: memory.name, command, issued })),
  );
  if (rows.length === 0) return undefined;
  const columns: Column<(typeof rows)[number]>[] = [
    { term: 'memory', cell: (row) => row.memory },
    { term: 'commands', label: 'Command', cell: (row) => row.command },
    {
      term: 'commandCount',
      numeric: true,
      cell: (row) => count(row.issued),
      rest: (others) => count(sum(others, (row) => row.issued)),
    },
  ];
  return markup`<h3>${term('commands')}</h3>${longTable(columns, rows, rows, 'commands')}`;
}

export function memoryTables({ memories }: Result): Markup | undefined {
  if (memories.length === 0) return undefined;
  return section('memory', memoryTable(memories), rowTable(memories), trafficTable(memories), commandTable(memories));
}
