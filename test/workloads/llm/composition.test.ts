import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { List } from 'immutable';
import { afterAll, describe, expect, it } from 'vitest';
import { chosenExperts, ExpertChoice, ExpertComposition } from '../../../workloads/llm/composition.ts';
import { describeComposition } from '../../../workloads/llm/composition-describe.ts';
import { loadComposition, parseComposition } from '../../../workloads/llm/composition-load.ts';
import { compositionJsonSchema } from '../../../workloads/llm/composition-schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'composition-'));
afterAll(() => rmSync(folder, { recursive: true }));

const text = (more = '', routing = 'uniform') => `workload: few
experts: 12
expert: llama-2-7b
router: { layers: 2, hidden: 64, heads: 4, ffn: 128, vocabulary: 100 }
dtype: bf16
parallel: { tensor: 4 }
batch: 4
prompt: 100
output: 20
routing: ${routing}
${more}`;

const parsed = (written: string) => parseComposition(written, join(folder, 'few.yaml')).workload;
const allOf = (composition: ExpertComposition): number[] => [...chosenExperts(composition)].flat();

describe('experts of requests', () => {
  const of = (choice: Partial<ReturnType<ExpertChoice['toObject']>>, more = {}) =>
    new ExpertComposition({ experts: 10, batch: 8, batches: 500, choice: new ExpertChoice(choice), ...more });

  it('are drawn batch by batch, the same for the same seed and others for another', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('uniform' as const, 'zipf' as const, 'round-robin' as const),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        (kind, experts, batch, seed) => {
          const composition = of({ kind, exponent: 1.1 }, { experts, batch, batches: 7, seed });
          const drawn = [...chosenExperts(composition)];
          expect(drawn.map((chosen) => chosen.length)).toEqual(new Array(7).fill(batch));
          for (const expert of drawn.flat()) expect(expert >= 0 && expert < experts).toBe(true);
          expect([...chosenExperts(composition)]).toEqual(drawn);
        },
      ),
    );
    expect(allOf(of({ kind: 'uniform' }, { seed: 1 }))).not.toEqual(allOf(of({ kind: 'uniform' }, { seed: 2 })));
  });

  it('are drawn alike, or by rank', () => {
    const counted = (kind: 'uniform' | 'zipf') => {
      const counts = new Array<number>(10).fill(0);
      for (const expert of allOf(of({ kind, exponent: 1 }, { batches: 5000 }))) counts[expert]!++;
      return counts.toSorted((a, b) => b - a);
    };
    // Within five standard deviations.
    for (const count of counted('uniform')) expect(Math.abs(count - 4000)).toBeLessThan(5 * Math.sqrt(4000));
    const harmonic = Array.from({ length: 10 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b);
    counted('zipf').forEach((count, rank) => {
      const mean = 40_000 / harmonic / (rank + 1);
      expect(Math.abs(count - mean)).toBeLessThan(5 * Math.sqrt(mean));
    });
  });

  it('come in turn, or as a trace says, whose last batch may be short', () => {
    expect(allOf(of({ kind: 'round-robin' }, { batches: 2 }))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5,
    ]);
    const trace = of({ kind: 'trace', experts: List([3, 1, 4, 1, 5]) }, { batch: 2, batches: 3 });
    expect([...chosenExperts(trace)]).toEqual([[3, 1], [4, 1], [5]]);
  });
});

describe('the file of a composition', () => {
  it('has models by name or described, and how they are shared', () => {
    const few = parsed(text('batches: 9\nreplacement: fifo\nseed: 7'));
    expect(few).toMatchObject({
      experts: 12,
      batch: 4,
      batches: 9,
      prompt: 100,
      output: 20,
      replacement: 'fifo',
      seed: 7,
    });
    expect(few.expert.layers).toBe(32);
    expect(few.router).toMatchObject({ name: 'few router', layers: 2 });
    expect(few.share).toMatchObject({ tensor: 4, weights: 2, cache: 2 });
    expect(parsed(text('', 'zipf(1.1)')).choice).toMatchObject({ kind: 'zipf', exponent: 1.1 });
  });

  it('may name a trace, an expert on a line', () => {
    writeFileSync(join(folder, 'requests.csv'), 'expert\n3\n11\n0\n3\n2\n');
    const traced = parsed(text('', '{ trace: requests.csv }'));
    expect(traced.batches).toBe(2);
    expect([...chosenExperts(traced)]).toEqual([[3, 11, 0, 3], [2]]);
  });

  it('may not name an expert that does not exist, or none', () => {
    writeFileSync(join(folder, 'wrong.csv'), 'expert\n3\n12\nthree\n-1\n');
    expect(() => parsed(text('', '{ trace: wrong.csv }'))).toThrow(
      expect.objectContaining({
        diagnostics: [
          {
            message: '"12" is no expert',
            hint: 'write a whole number from 0 to 11',
            place: expect.objectContaining({ line: 3, column: 1, file: join(folder, 'wrong.csv') }),
          },
          expect.objectContaining({ message: '"three" is no expert', place: expect.objectContaining({ line: 4 }) }),
          expect.objectContaining({ message: '"-1" is no expert', place: expect.objectContaining({ line: 5 }) }),
        ],
      }),
    );
    expect(() => parsed(text('', '{ trace: none.csv }'))).toThrow(/few.yaml:10:19 {2}cannot read .*none.csv/);
    writeFileSync(join(folder, 'requests.csv'), 'expert\n3\n');
    expect(() => parsed(text('batches: 2', '{ trace: requests.csv }'))).toThrow(
      /few.yaml:11:1 {2}"batches" stands beside a trace/,
    );
  });

  it.each([
    ['experts: 12', 'experts: 0', /few.yaml:2:10/],
    ['expert: llama-2-7b', 'expert: llama-2-8b', /few.yaml:3:9 {2}there is no model "llama-2-8b"/],
    ['tensor: 4', 'tensor: 3', /few.yaml:6:1 {2}3 devices cannot share 32 heads equally/],
    ['uniform', 'zipf', /few.yaml:10:10 {2}"zipf" is no routing[\s\S]*one of uniform, zipf\(1.1\), round-robin/],
    ['batch: 4', 'batches: 4', /few.yaml:1:1 {2}"batch" is missing/],
    ['output: 20', 'ouput: 20', /few.yaml:9:1 {2}unknown key "ouput"[\s\S]*did you mean "output"/],
  ])('has mistakes at their places: %s as %s', (right, wrong, message) => {
    expect(() => parsed(text().replace(right, wrong))).toThrow(message);
  });

  it('is shown with what devices hold', () => {
    const shown = describeComposition(loadComposition('coe-150').workload);
    expect(shown).toContain('150 experts, each llama-2-7b, behind llama-2-7b');
    expect(shown).toContain('32 x 8: prompts of 4096 tokens, answers of 20 tokens');
    expect(shown).toContain('memory of one of 8 devices');
    // 6,738,415,616 weights of two bytes over eight devices; norms are on each.
    expect(shown).toMatch(/an expert +1.57 GiB/);
    expect(describeComposition(parsed(text('', 'zipf(1.1)')))).toContain(
      'zipf(1.1); from a full tier goes what was used',
    );
  });

  it('has a JSON Schema', () => {
    expect(compositionJsonSchema()).toMatchObject({
      required: expect.arrayContaining(['workload', 'experts', 'expert', 'router', 'batch', 'prompt', 'output']),
      additionalProperties: false,
    });
  });
});
