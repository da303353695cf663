import { appendFileSync, readFileSync, truncateSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { geometricMean, loadArch, loadWorkload, mean, powersOf, study } from '../../../index.ts';
import { studyReport } from '../../../models/study/report.ts';
import type { StudyRow } from '../../../models/study/run.ts';
import { Scratch } from '../../cli/command.ts';
import { runHere } from './studies.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

let journal = '';
let count = 0;
beforeEach(() => {
  journal = scratch.path(`journal-${++count}.jsonl`);
});

/** A study that counts its runs. `twice` is no part of what runs. */
function counting(broken: (n: number) => boolean = () => false) {
  const ran: string[] = [];
  const made = study({
    name: 'counting',
    parameters: { kind: ['x', 'y'], n: [1, 2, 3], twice: [false, true] },
    skip: ({ kind, n }) => kind === 'y' && n === 3,
    inputs: ({ kind, n }) => ({ kind, n }),
    run: ({ kind, n }) => {
      ran.push(`${kind}${n}`);
      if (broken(n)) throw new Error(`no ${n}`);
      return n * (kind === 'x' ? 1 : 10);
    },
    metrics: (result, p) => ({ result, scaled: p.twice ? 2 * result : result }),
  });
  return { made, ran };
}

const figures = (rows: readonly StudyRow[]) => rows.map((row) => ('metrics' in row ? row.metrics.scaled : row.error));

describe('points of a study', () => {
  it('are the product of its parameters, the first slowest, without those that make no sense', () => {
    const points = counting().made.points();
    expect(points.map((p) => `${p.kind}${p.n}${p.twice ? '+' : ''}`)).toEqual([
      'x1',
      'x1+',
      'x2',
      'x2+',
      'x3',
      'x3+',
      'y1',
      'y1+',
      'y2',
      'y2+',
    ]);
  });

  it('with equal inputs run once, and each has its own metrics', async () => {
    const { made, ran } = counting();
    expect(figures(await runHere(made, journal))).toEqual([1, 2, 2, 4, 3, 6, 10, 20, 20, 40]);
    expect(ran).toEqual(['x1', 'x2', 'x3', 'y1', 'y2']);
  });

  it('that are finished never run again, whichever are asked for', async () => {
    const { made, ran } = counting();
    await runHere(made, journal, made.points().slice(2, 5));
    expect(ran).toEqual(['x2', 'x3']);
    const rows = await runHere(made, journal);
    expect(figures(rows)).toEqual([1, 2, 2, 4, 3, 6, 10, 20, 20, 40]);
    // Of x3 one row was finished; the other has metrics of its own.
    expect(ran).toEqual(['x2', 'x3', 'x1', 'x3', 'y1', 'y2']);
    expect(await runHere(made, journal)).toEqual(rows);
    expect(ran).toHaveLength(6);
  });

  it('run again without --resume, and only those that are asked for', async () => {
    const { made, ran } = counting();
    const rows = await runHere(made, journal);
    expect(await runHere(made, journal, made.points().slice(0, 2), { resume: false })).toEqual(rows.slice(0, 2));
    expect(ran).toEqual(['x1', 'x2', 'x3', 'y1', 'y2', 'x1']);
    await runHere(made, journal);
    expect(ran).toHaveLength(6);
  });

  it('that fail are named, the others done, and tried again', async () => {
    const { made, ran } = counting((n) => n === 2);
    const rows = await runHere(made, journal);
    expect(figures(rows)).toEqual([1, 2, 'Error: no 2', 'Error: no 2', 3, 6, 10, 20, 'Error: no 2', 'Error: no 2']);
    expect(rows[2]).toMatchObject({ point: { kind: 'x', n: 2, twice: false } });
    await runHere(made, journal);
    expect(ran.slice(5)).toEqual(['x2', 'y2']);
  });

  it('share a row where metrics do not look at what differs', async () => {
    let runs = 0;
    const made = study({
      name: 'blind',
      parameters: { same: ['p', 'q', 'r'] },
      inputs: () => 1,
      run: () => ++runs,
      metrics: (result) => ({ result }),
    });
    expect((await runHere(made, journal)).map((row) => 'metrics' in row && row.metrics.result)).toEqual([1, 1, 1]);
    expect(readFileSync(journal, 'utf8').trim().split('\n')).toHaveLength(1);
    await runHere(made, journal, [{ same: 'r' }]);
    expect(runs).toBe(1);
  });

  it('have figures that JSON can hold, and say which one is no figure', async () => {
    const of = (figure: unknown) =>
      study({
        name: 'odd',
        parameters: { a: [1] },
        inputs: () => 1,
        run: () => 1,
        metrics: () => ({ figure: figure as number }),
      });
    const rowOf = async (figure: unknown, file: string) => (await runHere(of(figure), scratch.path(file)))[0];
    expect(await rowOf(Number.NaN, 'nan')).toMatchObject({ metrics: { figure: null } });
    expect(await rowOf('2', 'text')).toMatchObject({
      error: expect.stringContaining('the metric "figure" is 2, but must be a number'),
    });
  });
});

describe('a journal', () => {
  it('that ends in the middle of a line loses that row only', async () => {
    const whole = await (async () => {
      const { made } = counting();
      const rows = await runHere(made, journal);
      return { rows, text: readFileSync(journal, 'utf8') };
    })();
    const lines = whole.text.split('\n').slice(0, -1);
    for (const cut of [
      1,
      40,
      whole.text.length - 3,
      whole.text.length - lines[9]!.length - 1,
      whole.text.length >> 1,
    ]) {
      const file = scratch.path(`cut-${cut}.jsonl`);
      appendFileSync(file, whole.text);
      truncateSync(file, cut);
      const { made, ran } = counting();
      expect(await runHere(made, file)).toEqual(whole.rows);
      const kept = whole.text.slice(0, cut).split('\n').length - 1;
      expect(
        readFileSync(file, 'utf8').startsWith(
          lines
            .slice(0, kept)
            .map((line) => `${line}\n`)
            .join(''),
        ),
      ).toBe(true);
      expect(readFileSync(file, 'utf8').split('\n').slice(0, -1).sort()).toEqual(
        expect.arrayContaining([...lines].sort()),
      );
      expect(ran.length).toBe(Math.ceil((10 - kept) / 2));
    }
  });

  it('of another program, or with something else in it, is passed over', async () => {
    appendFileSync(journal, 'nonsense\n{"key":"0","point":{},"reads":[],"metrics":{}}\nnull\n');
    const { made, ran } = counting();
    expect(figures(await runHere(made, journal))[0]).toBe(1);
    expect(ran).toHaveLength(5);
  });

  it('that cannot be written is a mistake that says so', async () => {
    await expect(runHere(counting().made, scratch.folder)).rejects.toThrow(/cannot keep rows in .*: it is a folder/);
  });
});

describe('a study of simulated runs', () => {
  const arch = loadArch('gemmini');
  const gemm = (m: number) => loadWorkload('gemm', { shape: [`M=${m}`, 'N=64', 'K=64'] });

  it('gives metrics the results of its runs', async () => {
    const made = study({
      name: 'two-runs',
      parameters: { rows: [8, 16] },
      point: ({ rows }) => {
        const variant = arch.setIn(['parts', 'array', 'rows'], rows);
        return { short: { arch: variant, workload: gemm(64) }, long: { arch: variant, workload: gemm(128) } };
      },
      metrics: ({ short, long }) => ({ short: short.cycles, long: long.cycles }),
      claims: [
        {
          text: 'more work',
          source: 'sense',
          target: 2,
          within: 1,
          measured: (rows) => mean(rows.map((r) => r.long / r.short)),
        },
        {
          text: 'by rows',
          source: 'sense',
          target: 0,
          measured: (rows) => rows.find((r) => r.rows === 8)?.short ?? null,
        },
      ],
    });
    const rows = await runHere(made, journal);
    const report = studyReport(made, rows, 'v');
    expect(report.claims[0]!.holds).toBe(true);
    const [first] = rows;
    expect(first && 'metrics' in first && first.metrics.short).toBe(report.claims[1]!.measured);
  });

  it('names what the user did wrong as the run would', async () => {
    const made = study({
      name: 'small',
      parameters: { capacity: [1] },
      point: ({ capacity }) => ({
        arch: arch.setIn(['parts', 'scratchpad', 'capacity'], capacity),
        workload: gemm(64),
      }),
      metrics: ({ cycles }) => ({ cycles }),
    });
    const [row] = await runHere(made, journal);
    expect(row).not.toHaveProperty('stack');
    expect(row).toHaveProperty('error');
  });
});

describe('claims', () => {
  const report = async (measured: () => number | null, target = 4) => {
    const made = study({
      name: 'claims',
      parameters: { a: [1] },
      inputs: () => 1,
      run: () => 1,
      metrics: () => ({ b: 1 }),
      claims: [{ text: 't', source: 's', target, within: 0.1, measured }],
    });
    return studyReport(made, await runHere(made, journal), 'v').claims[0];
  };

  it('hold within a fraction of their target', async () => {
    expect(await report(() => 4.4)).toMatchObject({ error: expect.closeTo(0.1), holds: true });
    expect(await report(() => 4.41)).toMatchObject({ holds: false });
    expect(await report(() => -4.4, -4)).toMatchObject({ error: expect.closeTo(-0.1), holds: true });
    expect(await report(() => null)).toMatchObject({ measured: null, error: null, holds: null, problem: null });
    const broken = await report(() => {
      throw new Error('no such row');
    });
    expect(broken).toMatchObject({ holds: null, problem: 'Error: no such row' });
  });
});

describe('grids and means', () => {
  it('are what they say', () => {
    expect(powersOf(4, '1 Ki', '64 Ki')).toEqual([1024, 4096, 16384, 65536]);
    expect(powersOf(2, 3, 13)).toEqual([3, 6, 12]);
    expect([mean([1, 2, 6]), mean([]), mean([1, null])]).toEqual([3, null, null]);
    expect(geometricMean([1, 4, 16])).toBeCloseTo(4, 12);
  });

  it('of a study that cannot be are refused', () => {
    const with_ = (name: string, parameters: { [name: string]: number[] }) => () =>
      study({ name, parameters, inputs: () => 1, run: () => 1, metrics: () => ({}) });
    expect(with_('a/b', { a: [1] })).toThrow('"a/b" cannot be the name of a study');
    expect(with_('a', {})).toThrow('study a has no parameters');
    expect(with_('a', { b: [] })).toThrow('study a: parameter "b" has no values');
    expect(with_('a', { b: [1, 2, 1] })).toThrow('study a: parameter "b" has the value 1 twice');
  });
});
