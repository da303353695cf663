import { describe, expect, it } from 'vitest';
import { alike, kindOf, meanEngine, meanOverTime, range } from '../../reports/cores.ts';
import { bytes, count, percent } from '../../reports/format.ts';
import { onCores } from './cores-sample.ts';

const names = (parts: readonly string[]) =>
  alike(parts, (name) => name).map(({ name, cores, members }) => [name, cores, members.length]);

describe('the parts of several cores', () => {
  it('are of the kind that their names without numbers say, also in groups of groups', () => {
    expect(kindOf('core[12].buffer.dma0')).toBe('core.buffer.dma0');
    expect(kindOf('cluster[0].core[1].array')).toBe('cluster.core.array');
    expect(kindOf('array')).toBe('array');
  });

  it('come together in the order of their first, and what no core owns stays alone', () => {
    expect(names(['hbm', 'core[0].buffer', 'core[0].pad', 'core[1].buffer', 'core[1].pad'])).toEqual([
      ['hbm', '', 1],
      ['core.buffer', '2 cores', 2],
      ['core.pad', '2 cores', 2],
    ]);
  });

  it('keep their own name where only one core has something to tell', () => {
    expect(names(['core[3].buffer'])).toEqual([['core[3].buffer', '', 1]]);
  });

  it('are kept apart by what else tells them apart, and never merged by name alone where no core owns them', () => {
    const items = [
      { part: 'core[0].buffer', tensor: 'A' },
      { part: 'core[0].buffer', tensor: 'B' },
      { part: 'core[1].buffer', tensor: 'A' },
      { part: 'hbm', tensor: 'A' },
      { part: 'hbm', tensor: 'A' },
    ];
    const grouped = alike(
      items,
      ({ part }) => part,
      ({ tensor }) => [tensor],
    );
    expect(grouped.map(({ name, members }) => [name, members.length])).toEqual([
      ['core.buffer', 2],
      ['core[0].buffer', 1],
      ['hbm', 1],
      ['hbm', 1],
    ]);
  });
});

describe('a range', () => {
  it('is written without the unit of the mean that it stands beside', () => {
    expect(range([0.699, 0.703], percent)).toBe('69.9 to 70.3');
    expect(range([6351, 6405], count)).toBe('6,351 to 6,405');
  });

  it('keeps its units where they differ', () => {
    expect(range([512 * 1024, 2 ** 21], bytes)).toBe('512 KiB to 2 MiB');
  });

  it('is left out where all values are written alike', () => {
    expect(range([0.70248, 0.70249], percent)).toBeUndefined();
  });
});

describe('the mean of engines', () => {
  const arrays = alike(
    onCores(4).engines.filter(({ kind }) => kind === 'array'),
    ({ name }) => name,
  );

  it('accounts for every cycle, as each of them does', () => {
    const engine = meanEngine(arrays[0]!);
    expect(arrays).toHaveLength(1);
    expect(engine.busy).toBe(427_000);
    expect(engine.busy + engine.waitInput + engine.waitOutput + engine.waitMemory + engine.idle).toBeCloseTo(
      engine.cycles,
      6,
    );
  });

  it('waits for the part of its own core, the mean of all that do and do not', () => {
    const [first, ...others] = arrays[0]!.members;
    const wait = { reason: 'memory' as const, tensor: 'W', part: 'core[0].buffer', cycles: 400 };
    const alone = {
      ...arrays[0]!,
      members: [{ ...first!, waits: [wait] }, ...others.map((one) => ({ ...one, waits: [] }))],
    };
    expect(meanEngine(alone).waits).toEqual([{ ...wait, part: 'core.buffer', cycles: 100 }]);
  });
});

describe('the mean over time', () => {
  it('is taken bin by bin; what has ended counts as nothing', () => {
    expect(
      meanOverTime([
        [1, 1, 1],
        [0, 1],
      ]),
    ).toEqual([0.5, 1, 0.5]);
  });
});
