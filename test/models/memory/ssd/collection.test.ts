import { describe, expect, it } from 'vitest';
import type { SsdPart } from '../../../../arch/language/ssd/part.ts';
import { ssdCapacity } from '../../../../arch/language/ssd/part.ts';
import { RandomNumbers } from '../../../../models/memory/ssd/mrg.ts';
import { runSsd } from '../../../../models/memory/ssd/run.ts';
import { Generator } from '../../../../models/memory/ssd/sources.ts';
import { Ssd } from '../../../../models/memory/ssd/ssd.ts';
import { smallSsd } from './parts.ts';

const seed = Number(process.env.SEED ?? 20261121);

function draws(): () => number {
  const numbers = new RandomNumbers(seed + 7);
  return () => Math.min(numbers.next(), 1 - 2 ** -40);
}

/** Reads and writes until so many are done. */
function use(ssd: Ssd, requests: number, bytes: number): number {
  const numbers = new RandomNumbers(seed);
  let [submitted, done] = [0, 0];
  const submit = (ps: number): void => {
    if (submitted++ >= requests) return;
    const write = numbers.next() < 0.7;
    const offset = Math.floor(Math.min(numbers.next(), 1 - 1e-12) * (ssd.capacity / bytes - 1)) * bytes;
    ssd.submit(ps, offset, bytes, write, (at) => {
      done++;
      submit(at);
    });
  };
  for (let i = 0; i < 32; i++) submit(0);
  ssd.advance(Number.POSITIVE_INFINITY);
  return done;
}

/** Every page is where the map has it, and nowhere else, and blocks count what is not needed. */
function checkPages(ssd: Ssd, { flash }: SsdPart): void {
  const { map, blocks } = ssd.ftl;
  const physical = flash.channels * flash.chips * flash.dies * flash.planes * flash.blocks * flash.pages;
  let current = 0;
  for (let place = 0; place < physical; place++) if (map.isCurrent(place)) current++;
  let mapped = 0;
  for (let page = 0; page < map.logical; page++) {
    const place = map.placeOf(page);
    if (place < 0) continue;
    mapped++;
    expect(map.pageAt(place)).toBe(page);
    expect(Math.floor(place / (flash.blocks * flash.pages))).toBe(map.planeOf(page));
  }
  expect(current).toBeGreaterThanOrEqual(mapped);
  expect(blocks.reads.every((count) => count === 0) && blocks.programs.every((count) => count === 0)).toBe(true);
}

describe('garbage collection', () => {
  const parts: [string, SsdPart][] = [
    ['greedy', smallSsd()],
    ['random-greedy', smallSsd({ collection: { policy: 'random-greedy' } })],
    ['a cached table', smallSsd({ translation: { table: 'cached', cache: 300 } })],
    ['dies apart', smallSsd({ flash: { busy: 'die' } })],
  ];
  for (const [name, part] of parts) {
    for (const bytes of [1024, 4096, 16384]) {
      it(`loses no page and keeps no request: ${name}, requests of ${bytes} bytes`, () => {
        const ssd = new Ssd(part);
        expect(use(ssd, 5000, bytes)).toBe(5000);
        expect(ssd.ftl.collector.erased).toBeGreaterThan(100);
        checkPages(ssd, part);
        const { collector, userWrites, tableWrites } = ssd.ftl;
        expect(ssd.flash.operations[1]).toBe(userWrites + collector.moved + tableWrites);
        expect(ssd.flash.operations[2]).toBe(collector.erased);
      });
    }
  }

  it('wears blocks evenly', () => {
    const ssd = new Ssd(smallSsd());
    use(ssd, 20_000, 4096);
    const { erases } = ssd.ftl.blocks;
    const mean = erases.reduce((sum, count) => sum + count, 0) / erases.length;
    expect(mean).toBeGreaterThan(5);
    expect(Math.max(...erases)).toBeLessThan(4 * mean);
  });

  it('amplifies random writes less than first-in-first-out cleaning would, and more than with all spare blocks', () => {
    const part = smallSsd({
      flash: { channels: 1, chips: 1, dies: 1, planes: 1, blocks: 256, pages: 32 },
      translation: { overprovisioning: 0.2 },
      collection: { threshold: 0.02, reserve: 5 },
    });
    const pages = ssdCapacity(part) / 4096;
    const source = new Generator({
      pattern: 'random',
      bytes: 4096,
      reads: 0,
      region: ssdCapacity(part),
      align: 4096,
      seed,
    });
    const { counters } = runSsd(part, source, {
      depth: 32,
      requests: 3 * pages,
      fill: 1,
      overwrites: 6 * pages,
      draw: draws(),
    });
    // Desnoyers, SYSTOR 2012: first in, first out, uniform writes; a = physical / logical.
    const amplification = (a: number): number => a / (a + lambert(-a * Math.exp(-a)));
    expect(counters.writeAmplification).toBeLessThan(amplification((0.98 * 256 - 5) / (0.8 * 256)));
    expect(counters.writeAmplification).toBeGreaterThan(0.8 * amplification(1 / 0.8));
    expect(counters.pagesMoved / counters.userPages).toBeCloseTo(counters.writeAmplification! - 1, 12);
  });

  it('has nothing to move where everything is overwritten in order', () => {
    const part = smallSsd();
    const source = new Generator({
      pattern: 'sequential',
      bytes: 4096,
      reads: 0,
      region: ssdCapacity(part),
      align: 4096,
      seed,
    });
    const { counters } = runSsd(part, source, { depth: 4, requests: 20_000, fill: 1 });
    expect(counters.writeAmplification).toBeLessThan(1.05);
    expect(counters.blocksErased).toBeGreaterThan(1000);
  });

  it('refuses a request beyond the end', () => {
    const part = smallSsd();
    const source = { offset: 0, bytes: ssdCapacity(part) + 512, write: false, time: 0, next: () => true };
    expect(() => runSsd(part, source, { depth: 1, requests: 1 })).toThrow(RangeError);
  });
});

/** Principal branch of W exp(W) = x, by Newton's method. */
function lambert(x: number): number {
  let w = 0;
  for (let i = 0; i < 100; i++) w -= (w * Math.exp(w) - x) / (Math.exp(w) * (w + 1));
  return w;
}
