/** A DRAM standard as text: its commands, chips and speeds, and how many rows keep them apart. */
import { bytes, counted, table } from '../describe.ts';
import { capacityOf, peakBandwidth } from './memory.ts';
import type { PimEffect } from './pim.ts';
import { deviceOf } from './resolve.ts';
import { type CommandRow, currentsKey, type DramStandard, type Organisation, type Speed } from './standard.ts';

/** What `clockwright show` prints. Capacities and bandwidths are of one channel. */
export function describeStandard(standard: DramStandard): string {
  const sections = [
    head(standard),
    section('commands', standard.commands.map(commandRow)),
    ...(standard.modes.isEmpty() ? [] : [section('modes, that of the start first', modeRows(standard))]),
    section('organisations, the first by default, and what a channel holds', organisationRows(standard)),
    section('speeds, the first by default, and the peak of a channel', speedRows(standard)),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function section(title: string, rows: Iterable<readonly string[]>): string[] {
  return [title, ...table([...rows]).map((line) => `  ${line}`)];
}

function head(standard: DramStandard): string[] {
  const { name, about, source, levels, constraints, prefetch, width } = standard;
  const columns = `${(prefetch * width) / 8} B: ${counted(prefetch, 'column')} of ${counted(width, 'bit')}`;
  return table([
    [name, about],
    ['source', source || 'none given'],
    ['levels', levels.join(' > ')],
    ['access', standard.payload === null ? columns : `${standard.payload} B of data`],
    ['command bus', busText(standard)],
    ['refresh', refreshText(standard)],
    ['constraints', counted(constraints.size, 'row')],
    ...energyRows(standard),
    ...unitRows(standard),
  ]);
}

function energyRows({ energies, background, currents, commands }: DramStandard): string[][] {
  const given = commands.filter(({ name }) => energies.has(name)).size;
  if (given === 0 && !background) {
    return [['currents', currents.size > 0 ? 'known for the rates below' : 'unknown: no energy of commands']];
  }
  return [
    ['energies', [`of ${counted(given, 'command')}`, ...(background ? ['background power'] : [])].join(', ')],
    ...(currents.size > 0 ? [['currents', 'known for the rates below']] : []),
  ];
}

function unitRows({ units, buffers, rowBuffers }: DramStandard): string[][] {
  if (units === null) return [];
  const { type, sums, adds, vectors } = units;
  const by = vectors === 1 ? '' : `, ${vectors} vectors at once`;
  const kept = [...buffers].map(([name, { of, capacity }]) => `${name} (${counted(capacity, 'column')} of each ${of})`);
  return [
    ['units', `${type}, ${adds === 'tree' ? 'a sum of each column' : 'a sum of each lane'} in ${sums}${by}`],
    ['buffers', kept.join(', ') || 'none'],
    ...(rowBuffers.size > 0 ? [['row buffers', ['the ordinary one', ...rowBuffers].join(', ')]] : []),
  ];
}

function busText({ buses, ticks }: DramStandard): string {
  const edges = ticks === 2 ? ', precharges on either edge of the clock' : '';
  return `${buses === 2 ? 'one of rows, one of columns' : 'one'}${edges}`;
}

function refreshText({ refresh: { allBank, staggered, perBank, lockstep } }: DramStandard): string {
  const together = lockstep === null ? '' : `, of every ${lockstep} together`;
  const kinds = [
    ...(allBank === null ? [] : [`all-bank every ${allBank}${staggered ? ', staggered' : ''}`]),
    ...(perBank === null ? [] : [`per-bank every ${perBank}${together}`]),
  ];
  return kinds.join('; ') || 'none';
}

function commandRow(row: CommandRow): string[] {
  const { name, bus, cycles, banks, access, refreshes, manages, syncs, pim, second, prepares, takes } = row;
  const level = targetText(row);
  const syncsWhat = { none: '', read: 'reads', write: 'writes', any: 'accesses' }[syncs];
  const bound = row.together ? ' together' : '';
  const effects = [
    ...(access === 'none' ? [] : [`${access}s`]),
    ...(banks === 'none' ? [] : [`${banks} ${level}${bound}`]),
    ...(refreshes ? [`refreshes ${level}`] : []),
    ...(manages ? [`manages ${level}`] : []),
    ...(syncsWhat ? [`syncs ${syncsWhat}`] : []),
    ...(prepares ? [`prepares ${level}`] : []),
    ...(pim ? [pimText(row, pim)] : []),
    ...(second ? [pimText(row, second)] : []),
    ...(takes === null ? [] : [`takes ${takes}`]),
  ];
  return [name, bus, `${cycles} CK`, effects.join(', ')];
}

/** Whom a command acts on, as its row has it. */
function targetText({ banks, pim, level, each, prepares, rowBuffer }: CommandRow): string {
  const where = rowBuffer === '' ? '' : ` in ${rowBuffer}`;
  if (!each.isEmpty()) return `${level} of each ${each.join(' ')}${where}`;
  const isNamed = banks === 'opens' || prepares || pim?.kind === 'multiplies' || pim?.kind === 'computes';
  return `${level !== 'bank' && isNamed ? `banks of ${level}` : level}${where}`;
}

function pimText(row: CommandRow, { kind, from, to, unit, whole }: PimEffect): string {
  if (kind === 'computes') return `computes ${targetText(row)}`;
  if (kind === 'executes') return `executes ${from} with ${targetText(row)} on ${unit}`;
  if (kind === 'moves') {
    const below = row.level === 'bank' ? '' : ` of ${row.level}`;
    const [source, target] = from === 'host' ? ['', below] : [below, ''];
    return `moves ${whole ? 'whole ' : ''}${from}${source} to ${to}${target}`;
  }
  if (kind === 'applies') return `applies ${from} to ${to}`;
  const most = row.most > 1 ? ` up to ${row.most} columns` : '';
  return `multiplies ${targetText(row)} by ${from} into ${to} on ${unit}${most}`;
}

/** The rows of modes, as they are written. */
function modeRows({ modes, modeChanges }: DramStandard): string[][] {
  const at = (banks: Iterable<number>): string => ([...banks].length > 0 ? ` at banks ${[...banks].join(' ')}` : '');
  return [
    ...modes.map(({ mode, commands, banks }) => [mode, `${commands.join(' ')}${at(banks)}`]),
    ...modeChanges.map(({ from, to, commands, row, banks }) => {
      const of = row === null ? '' : ` of row ${row}`;
      return [`${from} -> ${to}`, `${commands.join(' ')}${of}${at(banks)}`];
    }),
  ];
}

function organisationRows(standard: DramStandard): string[][] {
  return [...standard.organisations.values()].map((organisation) => {
    const { name, counts, rows, columns } = organisation;
    const nodes = [...counts].filter(([, count]) => count > 1).map(([level, count]) => `${count} ${level}s`);
    const capacity = capacityOf(deviceOf(standard, { organisation: name }), 1);
    return [
      name,
      `x${organisation.dq}`,
      nodes.join(' x '),
      `${rows.toLocaleString('en')} rows of ${columns.toLocaleString('en')} columns`,
      bytes(capacity),
      currentsText(standard, organisation),
    ];
  });
}

/** Rates at which the currents of an organisation are known. */
function currentsText({ speeds, currents }: DramStandard, { name }: Organisation): string {
  const rates = new Set(
    [...speeds.values()].map(({ rate }) => rate).filter((rate) => currents.has(currentsKey(name, rate))),
  );
  return rates.size > 0 ? `currents at ${[...rates].sort((a, b) => a - b).join(', ')} MT/s` : '';
}

function speedRows(standard: DramStandard): string[][] {
  return [...standard.speeds.values()].map(({ name, rate, clockPs }: Speed) => {
    const bandwidth = peakBandwidth(standard, deviceOf(standard, { speed: name }), 1);
    return [name, `${rate} MT/s`, `CK ${clockPs} ps`, `${bytes(bandwidth)}/s`];
  });
}
