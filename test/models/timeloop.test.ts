/** Timeloop's cycles, accesses and energies on fixed mappings, against clocked runs of the same ones. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Result } from '../../models/result.ts';
import { type Case, cases, type Level, type Printed, printed, type Role, roles, run } from './timeloop.ts';

/** Words by tensor, all instances together. */
type Words = Record<string, { read: number; written: number }>;

const picojoule = 1e-12;
const results = new Map(printed.map((theirs) => [theirs.name, run(theirs)]));
const readme = readFileSync('models/timeloop.md', 'utf8');

describe.each(printed)('$name', (theirs) => {
  const ours = cases[theirs.name]!;
  const result = results.get(theirs.name)!;
  const kept = roles.filter((role) => theirs[role]);

  it('does as many multiply-adds', () => {
    const counts = result.einsums.map(({ operators }) => operators.mac ?? 0);
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(theirs.computes);
  });

  it('takes as many cycles but for fill and drain', () => {
    expect(steadyCycles(result)).toBe(theirs.cycles);
  });

  it('waits for nothing between fill and drain where the PEs are the limit', () => {
    if (memoryCycles(result) >= theirs.cycles) return;
    for (const { start, end, operators } of result.einsums) {
      if (operators.mac) expect((end - start) * 1e9).toBeCloseTo(theirs.cycles, 3);
    }
  });

  it.each(kept)('reads and writes as many words in the %s, by the rules that the README names', (role) => {
    const counted = wordsOf(result, ours, role);
    for (const [tensor, expected] of Object.entries(expectedWords(theirs, ours, role))) {
      expect([tensor, counted[tensor]]).toEqual([tensor, expected]);
    }
  });

  it('spends what Timeloop prints, and the energy of accesses that only one of them counts', () => {
    const { by } = result.energy;
    const { mac } = by[ours.parts.registers]!;
    expect(mac! / picojoule).toBeCloseTo(theirs.mac.total, 1);
    for (const role of kept) {
      const level = theirs[role]!;
      const { mac: _, ...spent } = by[ours.parts[role]]!;
      const picojoules = total(Object.values(spent)) / picojoule;
      const figures = Object.values(level.tensors).map(({ energy }) => energy);
      const expected = total(figures) - wholeAccesses(level) + accesses(level, wordsOf(result, ours, role));
      expect(Math.abs(picojoules - expected)).toBeLessThan(0.005 * figures.length + 1e-12 * expected);
    }
  });

  it('agrees on what Timeloop adds up, leakage included', () => {
    const levels = kept.map((role) => theirs[role]!);
    const leaked = levels.map(({ leak, instances }) => leak * instances * theirs.cycles);
    const perCompute = (1e3 * (energyOf(theirs) + total(leaked))) / theirs.computes;
    const figures = levels.flatMap(({ tensors }) => Object.keys(tensors)).length + 1;
    expect(Math.abs(perCompute - theirs.femtojoulesPerCompute)).toBeLessThan(0.005 + (5 * figures) / theirs.computes);
  });

  it('is in the README', () => {
    expect(readme).toContain(rowOf(theirs, ours, result));
  });
});

function expectedWords(theirs: Printed, ours: Case, role: Role): Words {
  const { instances, tensors } = theirs[role]!;
  const { memory, scratchpad } = theirs;
  const isOutermost = roles.find((other) => theirs[other]) === role;
  return Object.fromEntries(
    Object.entries(tensors).map(([tensor, counts]) => {
      const all = (words: number): number => words * instances;
      const [reads, fills, updates] = [all(counts.reads), all(counts.fills), all(counts.updates)];
      // What Timeloop's outermost level has from the beginning, ours is filled with.
      const written = isOutermost ? all(counts.held) : fills;
      if (role === 'memory') {
        // Every scratchpad fetches for itself; a result leaves once, and its partial sums stay in the scratchpad.
        const below = scratchpad!.tensors[tensor];
        const fetched = below ? below.fills * scratchpad!.instances : reads;
        return [tensor, tensor === ours.result ? { read: 0, written: counts.held } : { read: fetched, written: 0 }];
      }
      if (tensor !== ours.result) return [tensor, { read: reads, written }];
      // What goes to memory is read for it.
      if (role === 'scratchpad') {
        const stored = (memory ?? scratchpad!).tensors[tensor]!.held;
        return [tensor, { read: reads + stored, written: updates }];
      }
      // Where PEs share a sum, one of them begins it, and to one of them it comes back.
      const begun = updates - reads;
      return [tensor, { read: reads + begun - begun / ours.across, written: updates + fills / ours.across }];
    }),
  );
}

/** What we count; of a scratchpad in a group, in all of them. */
function wordsOf(result: Result, { parts, bits }: Case, role: Role): Words {
  const isOf = ({ name }: { name: string }): boolean => name.replace(/\[\d+\]/, '') === parts[role];
  const scale = role === 'registers' ? 1 : 8 / bits;
  const counted =
    role === 'registers'
      ? result.engines.filter(isOf).map(({ registers }) => registers!)
      : result.memories.filter(isOf).map(({ tensors }) => tensors);
  const words: Words = {};
  for (const [tensor, { read, written }] of counted.flatMap((tensors) => Object.entries(tensors))) {
    words[tensor] ??= { read: 0, written: 0 };
    words[tensor].read += read * scale;
    words[tensor].written += written * scale;
  }
  return words;
}

/** Cycles in which the memory moves data. */
function memoryCycles({ memories }: Result): number {
  const { bytesRead, bytesWritten, peakBandwidth } = memories.find(({ name }) => name === 'memory')!;
  return ((bytesRead + bytesWritten) / peakBandwidth) * 1e9;
}

/** Cycles of what bounds the run. */
function steadyCycles(result: Result): number {
  return Math.max(result.engines.find(({ kind }) => kind !== 'dma')!.busy, memoryCycles(result));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, n) => sum + n, 0);
}

/** pJ of the words of all tensors. */
function accesses({ read, write, block }: Level, words: Words): number {
  return total(Object.values(words).map((tensor) => (tensor.read * read + tensor.written * write) / block));
}

/** pJ as Timeloop counts them: what is read, filled and updated of a tensor, in whole accesses each. */
function wholeAccesses({ read, write, block, instances, tensors }: Level): number {
  const whole = (words: number): number => Math.ceil(words / block);
  return total(
    Object.values(tensors).map(
      ({ reads, fills, updates }) => instances * (whole(reads) * read + (whole(fills) + whole(updates)) * write),
    ),
  );
}

/** pJ that Timeloop prints, without leakage. */
function energyOf(theirs: Printed): number {
  const levels = roles.flatMap((role) => Object.values(theirs[role]?.tensors ?? {}));
  return theirs.mac.total + total(levels.map(({ energy }) => energy));
}

/** A row of the README: Timeloop's words of a level, and how many more are ours. */
function rowOf(theirs: Printed, ours: Case, result: Result): string {
  const levels = roles.map((role) => {
    const level = theirs[role];
    if (!level) return '';
    const words = Object.values(level.tensors).map((t) => (t.reads + t.fills + t.updates) * level.instances);
    const counted = wordsOf(result, ours, role);
    const own = Object.keys(level.tensors).map((tensor) => counted[tensor]!.read + counted[tensor]!.written);
    const more = total(own) - total(words);
    return [thousands(total(words)), ...(more === 0 ? [] : [more < 0 ? '-' : '+', thousands(Math.abs(more))])].join(
      ' ',
    );
  });
  const nanojoules = [energyOf(theirs) * 1e-3, result.energy.total * 1e9].map(fiveDigits);
  const cycles = [theirs.cycles, result.cycles - theirs.cycles].map(thousands);
  return `| ${[theirs.name.replace(/-(model|mapper)-/, ' '), ...cycles, ...levels, ...nanojoules].join(' | ')} |`;
}

function thousands(n: number): string {
  return n.toLocaleString('en-US');
}

function fiveDigits(n: number): string {
  return n.toLocaleString('en-US', { maximumSignificantDigits: 5 });
}
