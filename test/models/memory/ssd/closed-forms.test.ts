import { List } from 'immutable';
import { describe, expect, it } from 'vitest';
import type { SsdPart } from '../../../../arch/language/ssd/part.ts';
import { ssdCapacity } from '../../../../arch/language/ssd/part.ts';
import { RandomNumbers } from '../../../../models/memory/ssd/mrg.ts';
import { runSsd } from '../../../../models/memory/ssd/run.ts';
import { Generator, ListedRequests, type RequestList } from '../../../../models/memory/ssd/sources.ts';
import { Ssd } from '../../../../models/memory/ssd/ssd.ts';
import { smallSsd } from './parts.ts';

const seed = Number(process.env.SEED ?? 20261121);

const random = (part: SsdPart, reads = 1, bytes = 4096): Generator =>
  new Generator({ pattern: 'random', bytes, reads, region: ssdCapacity(part), align: bytes, seed });

/** Of a 4 KiB read alone, ns: doorbell, request for the command, command; command and addresses; array; data; link. */
const front = 8 + 8 + 23;
const command = 20 + 6 * 25 + 100 + 20;
const array = 40_000 + 20;
const dataOut = 15 + 15 + (4096 / 2) * 4;
const back = (32 * (128 + 28)) / 4 + 11;
const readNs = front + command + array + dataOut + back;

const deep = { depth: 1024, fetch: 1024 };

describe('an SSD, against closed forms', () => {
  it('takes for one read what its steps take one after the other', () => {
    const part = smallSsd();
    const { latency, iops } = runSsd(part, random(part), { depth: 1, requests: 200 });
    expect(Math.round(latency.min * 1e12)).toBe(readNs * 1000);
    // The others wait for the doorbell of the completion before.
    expect(Math.round(latency.max * 1e12)).toBe((readNs + 8) * 1000);
    expect(iops).toBeCloseTo(200 / (200 * readNs * 1e-9 + 199 * 8e-9), 3);
  });

  it('takes for one write the link, and the DRAM of its cache', () => {
    const part = smallSsd();
    const { latency } = runSsd(part, random(part, 0), { depth: 1, requests: 1 });
    expect(Math.round(latency.mean * 1e12)).toBe((front + 8 + 1248 + 26 + 4096 + 11) * 1000);
  });

  it('adds the read of a page of the table where the entry is not cached', () => {
    const part = smallSsd({ translation: { table: 'cached', cache: 4096 } });
    const { latency, counters } = runSsd(part, random(part), { depth: 1, requests: 1 });
    expect(Math.round(latency.mean * 1e12)).toBe((readNs + command + array + 30 + (512 / 2) * 4) * 1000);
    expect([counters.mappingMisses, counters.tableReads]).toEqual([1, 1]);
  });

  it('is as fast as its buses when there are chips enough', () => {
    const part = smallSsd({ queues: deep, flash: { channels: 2, chips: 16, dies: 1, planes: 1, read: List([1e6]) } });
    const { bandwidth, counters } = runSsd(part, random(part), { depth: 512, requests: 20_000 });
    const bound = (2 * 4096 * 1e9) / (command + dataOut);
    // Links are no limit: 3.2 GB/s.
    expect(bandwidth / bound).toBeGreaterThan(0.98);
    expect(bandwidth).toBeLessThanOrEqual(bound);
    expect(counters.busBusy).toBeCloseTo(bandwidth / bound, 9);
  });

  it('lets commands wait for data: all chips of a channel read together, then send one after the other', () => {
    const part = smallSsd({ queues: deep, flash: { channels: 2, chips: 16, dies: 1, planes: 1 } });
    const region = ssdCapacity(part);
    const source = new Generator({ pattern: 'sequential', bytes: 4096, reads: 1, region, align: 4096, seed });
    const { bandwidth } = runSsd(part, source, { depth: 512, requests: 20_000 });
    expect(bandwidth / ((2 * 16 * 4096 * 1e9) / (command + array + 16 * dataOut))).toBeCloseTo(1, 2);
  });

  it('is as fast as its link when there are buses enough', () => {
    const part = smallSsd({ queues: deep, flash: { channels: 8, chips: 8, dies: 1, planes: 1, read: List([1e6]) } });
    const { bandwidth, counters } = runSsd(part, random(part), { depth: 512, requests: 20_000 });
    // Behind the data of a read go its completion and the request for another command.
    expect(bandwidth / ((4096 * 1e9) / (1248 + 11 + 8))).toBeGreaterThan(0.99);
    expect(counters.linkToHostBusy).toBeGreaterThan(0.99);
  });

  it("obeys Little's law: those under way are those that come in a second times the time they stay", () => {
    const part = smallSsd();
    const ssd = new Ssd(part);
    const source = random(part, 0.8);
    let [submitted, underWay, integral, last, latencies, done] = [0, 0, 0, 0, 0, 0];
    const count = (ps: number, change: number): void => {
      integral += underWay * (ps - last);
      last = ps;
      underWay += change;
    };
    const submit = (ps: number): void => {
      if (submitted++ >= 2000) return;
      source.next();
      count(ps, 1);
      ssd.submit(ps, source.offset, source.bytes, source.write, (at, from) => {
        count(at, -1);
        latencies += at - from;
        done++;
        submit(at);
      });
    };
    for (let i = 0; i < 24; i++) submit(0);
    ssd.advance(Number.POSITIVE_INFINITY);
    expect(integral).toBe(latencies);
    const result = runSsd(part, random(part, 0.8), { depth: 24, requests: 2000 });
    expect(done).toBe(result.requests);
    expect(result.meanInFlight).toBeCloseTo(integral / last, 9);
    expect(result.meanInFlight).toBeCloseTo(result.iops * result.latency.mean, 9);
  });

  it('lets reads wait before a single die as in M/D/1', () => {
    const part = smallSsd({
      queues: { depth: 65535, fetch: 65535 },
      flash: { channels: 1, chips: 1, dies: 1, planes: 1, blocks: 4096, pages: 64, read: List([100e6]) },
    });
    const service = command + 100_020 + dataOut;
    const alone = front + service + back;
    for (const load of [0.3, 0.7]) {
      const arrivals = poisson(50_000, (service * 1000) / load, ssdCapacity(part));
      const waits: number[] = [];
      const ssd = new Ssd(part);
      for (let i = 0; i < arrivals.length; i++)
        ssd.submit(arrivals.times![i]!, arrivals.offsets[i]!, 4096, false, (at, from) =>
          waits.push(at - from - alone * 1000),
        );
      ssd.advance(Number.POSITIVE_INFINITY);
      const expected = (load * service * 1000) / (2 * (1 - load));
      const { mean, error } = batchMeans(waits, 50);
      // Also the few ns in which messages wait for others on the link.
      expect(Math.abs(mean - expected)).toBeLessThan(3.5 * error);
      expect(error / expected).toBeLessThan(0.05);
    }
  });
});

function poisson(length: number, mean: number, capacity: number): RequestList {
  const numbers = new RandomNumbers(seed);
  let at = 0;
  return {
    length,
    times: Float64Array.from({ length }, () => (at += Math.round(-mean * Math.log(numbers.next())))),
    offsets: Float64Array.from({ length }, () => Math.floor(numbers.next() * (capacity / 4096 - 1)) * 4096),
    bytes: new Float64Array(length).fill(4096),
    writes: new Uint8Array(length),
  };
}

/** The mean, and its standard error from the means of batches. */
function batchMeans(values: readonly number[], batches: number): { readonly mean: number; readonly error: number } {
  const size = Math.floor(values.length / batches);
  const means = Array.from(
    { length: batches },
    (_, i) => values.slice(i * size, (i + 1) * size).reduce((sum, value) => sum + value, 0) / size,
  );
  const mean = means.reduce((sum, value) => sum + value, 0) / batches;
  const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (batches - 1);
  return { mean, error: Math.sqrt(variance / batches) };
}

describe('requests with times', () => {
  it('come when they should, or when one is done if as many as allowed are under way', () => {
    const part = smallSsd();
    const list = (times: number[]): RequestList => ({
      length: times.length,
      times: Float64Array.from(times),
      offsets: Float64Array.from(times, (_, i) => i * 4096),
      bytes: new Float64Array(times.length).fill(4096),
      writes: new Uint8Array(times.length),
    });
    const apart = runSsd(part, new ListedRequests(list([0, 1e9, 2e9])), { depth: 4 });
    expect(apart.seconds).toBeCloseTo(2e-3 + readNs * 1e-9, 12);
    const oneByOne = runSsd(part, new ListedRequests(list([0, 1, 2])), { depth: 1 });
    expect(oneByOne.seconds).toBeCloseTo((3 * readNs + 2 * 8) * 1e-9, 12);
  });
});
