import fc from 'fast-check';
import { List } from 'immutable';
import { expect, it } from 'vitest';
import { LlmModel } from '../../../workloads/llm/model.ts';
import { expertTokens, Routing } from '../../../workloads/llm/routing.ts';

const model = new LlmModel({ experts: 8, activeExperts: 2, layers: 4 });
const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
const weights = List([List([1, 0, 0, 3, 0, 0, 0, 4])]);

it('sends every token to different experts, the same ones for the same seed', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('even' as const, 'uniform' as const, 'zipf' as const, 'trace' as const),
      fc.nat({ max: 40 }),
      fc.integer({ min: 1, max: 3 }),
      fc.nat(),
      fc.nat({ max: 9 }),
      (kind, tokens, activeExperts, seed, iteration) => {
        const of = model.set('activeExperts', activeExperts);
        const routing = new Routing({ kind, seed, weights, exponent: 1.2 });
        const found = expertTokens(routing, of, 1, iteration, tokens);
        expect(found).toHaveLength(8);
        expect(sum(found)).toBe(tokens * activeExperts);
        for (const count of found) expect(count).toBeLessThanOrEqual(tokens);
        expect(expertTokens(routing, of, 1, iteration, tokens)).toEqual(found);
        if (kind === 'even') expect(Math.max(...found) - Math.min(...found)).toBeLessThanOrEqual(1);
      },
    ),
  );
});

it('draws anew in every layer and iteration', () => {
  const routing = new Routing({ kind: 'uniform' });
  const drawn = [0, 1, 2, 3].flatMap((layer) =>
    [0, 1, 2].map((iteration) => expertTokens(routing, model, layer, iteration, 200).join()),
  );
  expect(new Set(drawn).size).toBe(12);
});

it('draws experts alike, or by rank', () => {
  const total = (kind: 'uniform' | 'zipf'): number[] =>
    [...expertTokens(new Routing({ kind, exponent: 1 }), model.set('activeExperts', 1), 0, 0, 40_000)].sort(
      (a, b) => b - a,
    );
  // Within five standard deviations.
  for (const count of total('uniform')) expect(Math.abs(count - 5000)).toBeLessThan(5 * Math.sqrt(5000));
  const harmonic = sum([1, 2, 3, 4, 5, 6, 7, 8].map((rank) => 1 / rank));
  total('zipf').forEach((count, index) => {
    const mean = 40_000 / harmonic / (index + 1);
    expect(Math.abs(count - mean)).toBeLessThan(5 * Math.sqrt(mean));
  });
});

it('draws by the weights of a trace, and never an expert without', () => {
  const found = expertTokens(new Routing({ kind: 'trace', weights }), model.set('activeExperts', 1), 3, 0, 8000);
  expect(found.map((count) => count > 0)).toEqual([true, false, false, true, false, false, false, true]);
  expect(found[3]! / 8000).toBeCloseTo(3 / 8, 1);
});
