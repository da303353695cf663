import { describe, expect, it } from 'vitest';
import { htmlReport } from '../../reports/html.ts';
import { summary } from '../../reports/terminal.ts';
import { onCores } from './cores-sample.ts';
import { onDram } from './dram-sample.ts';
import { attention, bare, empty, gemmThenRelu, transformer } from './sample.ts';

describe('the summary of a run', () => {
  it('says how long, bound by what, who waited for whom, and what it cost', () => {
    expect(summary(attention(), { report: 'reports/out/attention-1-pass-on-fusemax.html' })).toMatchInlineSnapshot(`
      "attention-1-pass on fusemax                       1,893,104 cycles of core   2.014 ms
      bound by   vector (99.9 % busy): SPNV 42 %, RNV 42 %, AV 10 %, PRM 5 %
      array      88.9 % busy   waits 11.1 % for vector
      buffer     9 of 16 MiB
      hbm        186 of 400 GiB/s
      energy     1.95 J   array 99 %, buffer 1 %
      area       446 mm²   array 85 %, buffer 13 %, vector 1 %
      report     reports/out/attention-1-pass-on-fusemax.html
      "
    `);
  });

  it('tells both the waits and the idleness of an engine that does not bound the run', () => {
    expect(summary(gemmThenRelu())).toMatchInlineSnapshot(`
      "gemm-relu on tpu                                  490,000 cycles of core   521.3 µs
      bound by   array (87.4 % busy): Y0 79 %, Y1 8 %
      vector     47.1 % busy   waits 16.2 % for hbm   idle 36.7 %
      buffer     3 of 16 MiB
      hbm        167 of 400 GiB/s
      energy     479 mJ   array 99 %, buffer 1 %
      area       446 mm²   array 85 %, buffer 13 %, vector 1 %
      "
    `);
  });

  it('gives the reason when nothing is saturated, and leaves out what was not modelled', () => {
    expect(summary(bare())).toMatchInlineSnapshot(`
      "gemm-relu on tpu                                  490,000 cycles of core   521.3 µs
      bound by   dependencies: Nothing is busy all the time.
      array      87.4 % busy   idle 10.1 %
      "
    `);
  });

  it('tells how many rounds were run of those that it is an estimate for, and how far the length may be off', () => {
    const result = attention();
    const sections = [{ rounds: 48_000_000, run: 1_200_000, used: 'sampled' as const, seconds: 8e-6 }];
    const sampled = { ...result, fastForward: { sections, interval: { cycles: 7520, seconds: 8e-6 } } };
    expect(summary(sampled)).toContain('sampled    1.2 of 48.0 million rounds: 1,893,104 cycles \u00b1 0.4 % (95 %)\n');
    expect(summary(sampled)).not.toContain('skipped');
    expect(htmlReport(sampled)).toContain('1.2 of 48.0 million rounds: 1,893,104 cycles \u00b1 0.4 % (95 %)');
    const exact = { ...result, fastForward: { sections: [{ rounds: 300, run: 100, used: 'exact' as const }] } };
    expect(summary(exact)).toContain('skipped    200 of 300 rounds, exactly\n');
    expect(summary(exact)).not.toContain('sampled');
  });

  it('reports values, notes and row hits where there are any', () => {
    const result = attention();
    const hbm = { ...result.memories[0]!, rowHits: 93, rowMisses: 4, rowConflicts: 3 };
    const text = summary({
      ...result,
      memories: [hbm],
      values: {
        outputs: [{ tensor: 'AV', elements: 50_331_648, maxAbs: 1, maxAbsError: 3.1e-7, maxRelError: 2.2e-6 }],
      },
      notes: ['array has no energy for "max"'],
    });
    expect(text).toContain('hbm        186 of 400 GiB/s   row hits 93 %\n');
    expect(text).toContain('values     AV: 50,331,648 elements, largest error 3.1e-7 (relative 2.2e-6)\n');
    expect(text).toContain('note       array has no energy for "max"\n');
  });

  it('tells of DRAM in one line how much of the peak it moved, how many rows were open, and how long reads took', () => {
    expect(summary(onDram())).toContain('hbm        167 of 400 GiB/s   row hits 93 %   reads take 142.0 ns\n');
  });

  it('stays within 100 columns and wraps under the text, not under the label', () => {
    const note = 'an operation without a row in the technology table counts as free, '.repeat(4);
    const lines = summary({ ...transformer(), notes: [note] }).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    const first = lines.findIndex((line) => line.startsWith('note'));
    expect(lines[first + 1]).toMatch(/^ {11}\S/);
  });

  it('counts engines and memories beyond the sixth instead of listing them', () => {
    const result = transformer();
    const engines = [...Array(20).keys()].map((index) => ({ ...result.engines[1]!, name: `core${index}` }));
    expect(summary({ ...result, engines })).toContain('and 14 engines that are less busy');
  });

  it('tells of the parts of several cores in one line, with the range where they differ', () => {
    expect(summary(onCores(4))).toMatchInlineSnapshot(`
      "gemm-relu on tpu                                  490,000 cycles of core   521.3 µs
      bound by               core[0].array (87.4 % busy): Y0 79 %, Y1 8 %
      core.array (4 cores)   87.1 % busy (86.8 to 87.4)   waits 2.4 % for core.vector   idle 10.4 %
      core.vector (4 cores)  46.8 % busy (46.5 to 47.1)   waits 16.2 % for hbm   idle 37.0 %
      core.buffer (4 cores)  3.1 of 16 MiB (3 to 3.2)
      hbm                    167 of 400 GiB/s
      energy                 479 mJ   array 99 %, buffer 1 %
      area                   446 mm²   array 85 %, buffer 13 %, vector 1 %
      "
    `);
  });

  it('names the memory that all cores share, however many scratchpads they have', () => {
    const result = onCores(4);
    const pads = [...Array(8).keys()].flatMap((pad) =>
      result.memories.slice(1).map((memory) => ({ ...memory, name: memory.name.replace('buffer', `pad${pad}`) })),
    );
    const text = summary({ ...result, memories: [result.memories[0]!, ...pads] });
    expect(text).toContain('core.pad0 (4 cores)');
    expect(text).toMatch(/^hbm /m);
    expect(text).toContain('and 8 memories with less traffic');
  });

  it('adds escape codes only where colour is asked for', () => {
    const plain = summary(attention());
    const coloured = summary(attention(), { color: true });
    expect(plain).not.toContain('\x1b');
    expect(coloured).toContain('\x1b[1mattention-1-pass on fusemax\x1b[0m');
    expect(['\x1b[0m', '\x1b[1m', '\x1b[2m'].reduce((text, code) => text.replaceAll(code, ''), coloured)).toBe(plain);
  });

  it('writes no NaN, undefined or infinity for a run of no cycles', () => {
    expect(summary(empty())).not.toMatch(/NaN|undefined|Infinity/);
  });
});
