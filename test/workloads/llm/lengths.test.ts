import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mulberry32 } from '../../../workloads/language/evaluate.ts';
import { drawGap, drawLength, parseArriving, parseLengths } from '../../../workloads/llm/lengths.ts';
import { drawArrivals, drawRequests } from '../../../workloads/llm/workload.ts';

const draws = 20_000;
const drawn = (text: string | number): number[] => {
  const [lengths, random] = [parseLengths(text), mulberry32(3)];
  return Array.from({ length: draws }, () => drawLength(lengths, random));
};
const mean = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0) / values.length;

describe('lengths', () => {
  it.each([
    [512, { kind: 'constant', tokens: 512 }],
    ['512', { kind: 'constant', tokens: 512 }],
    ['uniform(32, 2048)', { kind: 'uniform', least: 32, most: 2048 }],
    ['lognormal(376, 0.8)', { kind: 'lognormal', mean: 376, sigma: 0.8, most: Number.POSITIVE_INFINITY }],
    ['lognormal(376,.8, 2048)', { kind: 'lognormal', mean: 376, sigma: 0.8, most: 2048 }],
  ])('%s is read', (text, lengths) => {
    expect(parseLengths(text)).toEqual(lengths);
  });

  it.each([
    [0, '"0" is no token at all'],
    [1.5, '"1.5" is no length'],
    ['uniform(32)', '"uniform(32)" needs two numbers of tokens'],
    ['uniform(0, 4)', 'needs two numbers of tokens'],
    ['uniform(4, 2)', 'has its longest length first'],
    ['lognormal(376)', 'needs a mean and a sigma'],
    ['lognormal(376, -1)', 'needs a mean and a sigma'],
    ['lognormal(376, 1, 2, 3)', 'needs a mean and a sigma'],
    ['lognormal(376, 1, 0)', 'needs a number of tokens as its third'],
    ['normal(3, 4)', '"normal(3, 4)" is no length'],
  ])('%s is none', (text, message) => {
    expect(() => parseLengths(text)).toThrow(message);
  });

  it('are drawn around their mean, and from 1', () => {
    // Five standard deviations of the mean.
    const sigma = 376 * Math.sqrt(Math.exp(0.8 ** 2) - 1);
    expect(Math.abs(mean(drawn('lognormal(376, 0.8)')) - 376)).toBeLessThan((5 * sigma) / Math.sqrt(draws));
    expect(Math.abs(mean(drawn('uniform(1, 9)')) - 5)).toBeLessThan((5 * 2.6) / Math.sqrt(draws));
    expect(Math.min(...drawn('lognormal(1, 2)'))).toBe(1);
    expect(Math.max(...drawn('lognormal(376, 0.8, 1024)'))).toBe(1024);
    expect([...new Set(drawn('uniform(3, 5)'))].sort()).toEqual([3, 4, 5]);
  });
});

describe('arrivals', () => {
  it.each([
    ['poisson(9/s)', { kind: 'poisson', perSecond: 9 }],
    ['fixed( 0.5 / s )', { kind: 'fixed', perSecond: 0.5 }],
  ])('%s is read', (text, arriving) => {
    expect(parseArriving(text)).toEqual(arriving);
  });

  it.each(['poisson(9)', 'poisson(0/s)', 'poisson(-1/s)', 'at 9/s'])('%s says nothing', (text) => {
    expect(() => parseArriving(text)).toThrow(`"${text}" does not say when requests arrive`);
  });

  it('of a Poisson process have exponential gaps', () => {
    const [arriving, random] = [parseArriving('poisson(4/s)'), mulberry32(5)];
    const gaps = Array.from({ length: draws }, () => drawGap(arriving, random));
    expect(Math.abs(mean(gaps) - 0.25)).toBeLessThan((5 * 0.25) / Math.sqrt(draws));
    const late = gaps.filter((gap) => gap > 0.25).length / draws;
    expect(Math.abs(late - Math.exp(-1))).toBeLessThan(5 * Math.sqrt(0.24 / draws));
  });

  const plan = { prompt: parseLengths('uniform(1, 50)'), output: parseLengths(3), requests: 100, seconds: 10 };

  it('end with the time or the number of requests', () => {
    const arriving = parseArriving('fixed(2/s)');
    expect(drawArrivals({ ...plan, arriving }, 1).size).toBe(19);
    expect(
      drawArrivals({ ...plan, arriving, requests: 4 }, 1)
        .map(({ at }) => at / 1e12)
        .toArray(),
    ).toEqual([0.5, 1, 1.5, 2]);
    expect(
      drawArrivals(plan, 1)
        .map(({ at }) => at)
        .toSet()
        .toArray(),
    ).toEqual([0]);
    expect(drawArrivals(plan, 1).size).toBe(100);
  });

  it('are the same for the same seed, and have the same lengths at another rate', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const [slow, fast] = ['poisson(20/s)', 'poisson(40/s)'].map((text) =>
          drawArrivals({ ...plan, arriving: parseArriving(text) }, seed),
        );
        expect(drawArrivals({ ...plan, arriving: parseArriving('poisson(20/s)') }, seed).equals(slow!)).toBe(true);
        const size = Math.min(slow!.size, fast!.size);
        expect(slow!.take(size).map(({ prompt }) => prompt)).toEqual(fast!.take(size).map(({ prompt }) => prompt));
        expect(drawRequests(9, plan.prompt, seed).equals(drawRequests(9, plan.prompt, seed))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
