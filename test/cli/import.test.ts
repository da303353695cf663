import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { clockwright, Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const fixture = (name: string): string => `test/fixtures/scalesim/${name}`;
const config = fixture('v2_scale.cfg');
const gemms = fixture('v2_gemm_test_mnk_input.csv');

const scalesim = (...args: string[]) => clockwright('import', 'scalesim', ...args);

describe('import scalesim', () => {
  it('prints the layers as JSON and nothing else', async () => {
    const { code, stdout, stderr } = await scalesim(config, gemms, '--gemm', '--json', '-');
    expect([code, stderr]).toEqual([0, '']);
    // 128 x 64 x 256 output-stationary on 32 x 32: 4 x 2 folds of 256 + 32 + 32 - 2 cycles; one kept copy of A and B
    expect(JSON.parse(stdout)).toEqual({
      layers: [
        {
          name: 'Test 1',
          M: 128,
          N: 64,
          K: 256,
          groups: 1,
          folds: 8,
          cyclesPerFold: 318,
          computeCycles: 8 * 318,
          stallCycles: 0,
          totalCycles: 8 * 318,
          overallUtilization: (128 * 64 * 256) / (8 * 318 * 1024),
          mappingEfficiency: 1,
          computeUtilization: 256 / 318,
          sram: {
            ifmapReads: 2 * 128 * 256,
            filterReads: 4 * 256 * 64,
            ofmapWrites: 128 * 64,
            ofmapReads: 0,
            filterMetadata: 0,
          },
          memory: {
            ifmapReads: 128 * 256,
            filterReads: 256 * 64,
            ofmapWrites: 128 * 64,
            ofmapReads: 0,
            filterMetadata: 0,
          },
        },
      ],
    });
  });

  it('prints a table with a line for each layer, and one for all', async () => {
    const { code, stdout } = await scalesim(config, fixture('v2_conv_alexnet.csv'));
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]!.split(/ {2,}/)).toEqual([
      'layer',
      'M x N x K',
      'folds x cycles',
      'cycles',
      'stalls',
      'overall util.',
      'mapping eff.',
      'memory',
    ]);
    expect(lines[1]).toMatch(/^Conv1 +3025 x 96 x 363 +285 x 425 +121,125 +0\.0 %/);
    expect(lines[6]).toMatch(/^all layers +850,965 /);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('runs v3 files with sparsity, says what it does otherwise, and writes the report', async () => {
    const html = scratch.path('report.html');
    const { code, stdout } = await scalesim(
      fixture('v3_sparsity.cfg'),
      fixture('v3_gemm_sparsity.csv'),
      '--gemm',
      '--html',
      html,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^GEMM_1 +3 x 5 x 16 +1 x 385 /m);
    expect(stdout).toContain('note: OptimizedMapping is ignored');
    expect(stdout).toContain(`report: ${html}`);
    expect(readFileSync(html, 'utf8')).toContain('GEMM_1.ofmap');
  });

  it.each<[string, string, readonly string[], RegExp]>([
    [
      'a row with a letter for a number',
      'Layer, M, N, K,\ngood, 1, 2, 3,\nbad, 8, x, 8,\n',
      ['--gemm'],
      /layers\.csv:3:9 .*N of layer "bad"/,
    ],
    ['a size of zero', 'Layer, M, N, K,\nnone, 8, 0, 8,\n', ['--gemm'], /layers\.csv:2:10 .*N of layer "none"/],
    [
      'a layer larger than the word limit',
      'Layer, M, N, K,\nhuge, 9999999, 9999999, 8,\n',
      ['--gemm'],
      /layers\.csv:2:\d+ .*huge/,
    ],
    ['GEMMs that are said to be convolutions', 'Layer, M, N, K,\none, 1, 2, 3,\n', [], /--gemm/],
    ['an empty file', '', ['--gemm'], /layers\.csv:1:1 .*empty/],
  ])('refuses %s', async (_, text, options, message) => {
    const layers = scratch.write('layers.csv', text);
    const { code, stdout, stderr } = await scalesim(config, layers, ...options);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  it('tells the mistakes of both files at once', async () => {
    const broken = scratch.write('broken.cfg', readFileSync(config, 'utf8').replace('[run_presets]', '[run]'));
    const layers = scratch.write('layers.csv', 'Layer, M, N, K,\nnone, 8, 0, 8,\n');
    const { code, stderr } = await scalesim(broken, layers, '--gemm');
    expect(code).toBe(2);
    expect(stderr).toMatch(/broken\.cfg:\d+:\d+ .*run/);
    expect(stderr).toMatch(/layers\.csv:2:10/);
  });

  it('names what is too small for a layer', async () => {
    const tiny = readFileSync(config, 'utf8')
      .replace(/ArrayHeight:\s+32/, 'ArrayHeight: 4096')
      .replace(/IfmapSramSzkB:\s+64/, 'IfmapSramSzkB: 1');
    const layers = scratch.write('layers.csv', 'Layer, M, N, K,\nwide, 5000, 64, 64,\n');
    const { code, stderr } = await scalesim(scratch.write('tiny.cfg', tiny), layers, '--gemm');
    expect(code).toBe(2);
    expect(stderr).toMatch(/layers\.csv:2:1 .*wide.*ifmap/);
  });

  it('runs with a bandwidth beyond what an array takes as with no limit', async () => {
    const cyclesAt = async (bandwidth: number): Promise<unknown> => {
      const text = readFileSync(config, 'utf8').replace('Bandwidth : 10', `Bandwidth : ${bandwidth}`);
      const user = scratch.write('user.cfg', text.replace('CALC', 'USER'));
      const { code, stdout, stderr } = await scalesim(user, gemms, '--gemm', '--json', '-');
      expect([code, stderr]).toEqual([0, '']);
      return JSON.parse(stdout);
    };
    const most = await cyclesAt(2 ** 20);
    expect(await cyclesAt(9_007_200)).toEqual(most);
    expect(await cyclesAt(2 ** 40)).toEqual(most);
  });

  it('runs on the largest array', async () => {
    const text = readFileSync(config, 'utf8')
      .replace(/Array(Height|Width):\s+32/g, 'Array$1: 65536')
      .replace(/SramSzkB:\s+64/g, 'SramSzkB: 65536');
    const { code, stdout } = await scalesim(scratch.write('large.cfg', text), gemms, '--gemm', '--json', '-');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ layers: [{ folds: 1, cyclesPerFold: 256 + 2 * 65536 - 2 }] });
  });

  it('says in the table and in the report that sparsity is off', async () => {
    const layers = scratch.write('layers.csv', 'Layer, M, N, K, Sparsity\nhalf, 8, 8, 8, 2:4,\n');
    const html = scratch.path('off.html');
    const { code, stdout } = await scalesim(config, layers, '--gemm', '--html', html);
    expect(code).toBe(0);
    expect(stdout).toContain('note: The N:M of layer "half" is ignored: SparsitySupport in [sparsity] is not true.\n');
    expect(readFileSync(html, 'utf8')).toContain('SparsitySupport in [sparsity] is not true.');
  });

  it('runs layers whose names, once numbered, would be the same', async () => {
    const rows = ['fc#2', 'fc', 'fc', 'a b', 'a_b'].map((name) => `${name}, 8, 8, 8,\n`).join('');
    const layers = scratch.write('layers.csv', `Layer, M, N, K,\n${rows}`);
    const { code, stdout } = await scalesim(config, layers, '--gemm', '--json', '-');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).layers.map(({ name }: { name: string }) => name)).toEqual([
      'fc#2',
      'fc',
      'fc',
      'a b',
      'a_b',
    ]);
  });

  it('says in its help what the first line is and what --json writes', async () => {
    const { code, stdout } = await clockwright('import', '--help');
    expect(code).toBe(0);
    const text = stdout.replace(/\s+/g, ' ');
    expect(text).toContain('the first line is a header, which is skipped');
    expect(text).toContain('{"layers": [...]}, which is no result for report');
  });

  it('says that a file is not there', async () => {
    const { code, stderr } = await scalesim('none.cfg', gemms, '--gemm');
    expect(code).toBe(2);
    expect(stderr).toContain('cannot read none.cfg');
  });
});
