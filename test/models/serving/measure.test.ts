import { describe, expect, it } from 'vitest';
import { decodeSample, decodeText, served, serviceSample } from '../../reports/serving-sample.ts';

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

describe('a memory that computes', () => {
  const [memory] = decodeSample().memories;
  const { pim, commands } = memory!;

  it('tells of every command of every channel once, by time and by whom it was for', () => {
    for (const channel of pim!.channels) {
      const binned = sum([...channel.ordinary, ...channel.pim, ...channel.refresh]);
      expect(binned).toBe(sum(Object.values(channel.commands)));
    }
    expect(pim!.channels).toHaveLength(32);
    const all = Object.fromEntries(
      Object.keys(commands).map((name) => [name, sum(pim!.channels.map((channel) => channel.commands[name]!))]),
    );
    expect(all).toEqual(commands);
  });

  it('has as many refreshes as commands that refresh, and what closes rows before them', () => {
    for (const channel of pim!.channels) expect(sum(channel.refresh)).toBeGreaterThanOrEqual(channel.commands.REF!);
  });

  it('lasts as long as the run, and its bins cover that', () => {
    const { seconds } = decodeSample();
    expect(pim!.cycles * pim!.cycle).toBeCloseTo(seconds, 9);
    const bins = pim!.channels[0]!.pim.length;
    expect(bins * pim!.bin).toBeGreaterThanOrEqual(seconds);
    expect((bins - 1) * pim!.bin).toBeLessThanOrEqual(seconds + pim!.cycle);
  });

  it('has at most one row open in each of the two row buffers of a bank', () => {
    const { ordinary, pim: own } = pim!.open;
    expect(ordinary).toHaveLength(32);
    for (const share of [...ordinary, ...own].flat()) expect(share >= 0 && share <= 1 + 1e-12).toBe(true);
    expect(Math.max(...own.flat())).toBeGreaterThan(0);
  });

  it('moves as many bytes over time as columns were accessed', () => {
    const { values, bin } = decodeSample().timelines.bandwidth[0]!;
    const columns = commands.RD! + commands.WR! + (commands.RDA ?? 0) + (commands.WRA ?? 0);
    expect(sum(values) * bin).toBeCloseTo(columns * 64, 0);
    expect(columns * 64).toBeGreaterThanOrEqual(memory!.bytesRead + memory!.bytesWritten);
  });

  it('stands for all channels where they are alike', () => {
    const [alike] = served('neupims', 'neupims-npu-only', decodeText).memories;
    expect(alike!.pim!.channels).toHaveLength(32);
    expect(alike!.commands.RD).toBe(32 * alike!.pim!.channels[0]!.commands.RD!);
    expect(sum(alike!.pim!.channels[0]!.pim)).toBe(0);
  });
});

describe('operators', () => {
  const { serving, seconds } = decodeSample();

  it('of the first layer take turns on each unit', () => {
    const { firstLayer } = serving!;
    for (const on of ['array', 'link']) {
      const own = firstLayer.filter((run) => run.on === on).toSorted((a, b) => a.start - b.start);
      expect(own.length).toBeGreaterThan(0);
      own.forEach(({ start, end }, i) => {
        expect(end).toBeGreaterThan(start);
        if (i > 0) expect(start).toBeGreaterThanOrEqual(own[i - 1]!.end);
      });
    }
    expect(new Set(firstLayer.map(({ subBatch }) => subBatch))).toEqual(new Set([0, 1]));
  });

  it('take no more of an array than there is of the run', () => {
    const array = serving!.operators.filter(({ on }) => on === 'array');
    expect(sum(array.map(({ seconds: all, waited }) => all - waited))).toBeLessThanOrEqual(seconds);
    expect(sum(array.map(({ waited }) => waited))).toBeGreaterThan(0);
  });

  it('of one layer and one iteration take what the layer shows', () => {
    const text = decodeText.replace('layers: 2', 'layers: 1').replace('generate: 2', 'generate: 1');
    const one = served('neupims', 'neupims-one-batch', text).serving!;
    expect(one.firstLayer).toHaveLength(one.operators.length);
    for (const { name, on, seconds: all, waited } of one.operators) {
      if (on === 'pim' || name === 'softmax') continue;
      const { start, end } = one.firstLayer.find((run) => run.name === name)!;
      expect(end - start).toBeCloseTo(all - waited, 12);
    }
    // Head by head: softmax begins before the last scores are there, and contexts before the last softmax.
    const of = (name: string) => one.firstLayer.find((run) => run.name === name)!;
    expect(of('softmax').start).toBeLessThan(of('scores').end);
    expect(of('softmax').start).toBeGreaterThan(of('scores').start);
    expect(of('context').start).toBeLessThan(of('softmax').end);
  });

  it('have operations that agree with those of the engines', () => {
    const { einsums, engines } = decodeSample();
    for (const { name, ops } of engines) {
      expect(sum(einsums.filter(({ engine }) => engine === name).map(({ operations }) => operations))).toBe(ops);
    }
  });
});

it('requests wait where there is no room, and nowhere else', () => {
  const { iterations, requests } = serviceSample().serving!;
  expect(Math.max(...iterations.map(({ prefill, decode }) => prefill + decode))).toBe(3);
  for (const { prefill, decode, waiting } of iterations) {
    if (waiting! > 0) expect(prefill + decode).toBe(3);
  }
  expect(Math.max(...iterations.map(({ waiting }) => waiting!))).toBeGreaterThan(0);
  expect(requests!.count).toBe(10);
});
