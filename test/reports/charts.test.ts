import { describe, expect, it } from 'vitest';
import { bandwidthChart } from '../../reports/charts/bandwidth.ts';
import { barChart } from '../../reports/charts/bars.ts';
import { columnChart } from '../../reports/charts/columns.ts';
import { ellipsis, textWidth } from '../../reports/charts/frame.ts';
import { ganttChart } from '../../reports/charts/gantt.ts';
import { gridChart } from '../../reports/charts/grid.ts';
import { heatChart } from '../../reports/charts/heat.ts';
import { placeLabels } from '../../reports/charts/labels.ts';
import { laneChart } from '../../reports/charts/lanes.ts';
import { rooflineChart } from '../../reports/charts/roofline.ts';
import { stretchChart } from '../../reports/charts/stretches.ts';
import { utilizationChart } from '../../reports/charts/utilization.ts';
import type { Markup } from '../../reports/markup.ts';
import { rooflineData } from '../../reports/page/roofline.ts';
import { attention, gemmThenRelu, transformer } from './sample.ts';
import { elements } from './wellformed.ts';

/** One element per line, so that a change shows as a change of lines. */
const lines = ({ text }: Markup) => `${text.replaceAll('><', '>\n<')}\n`;

const snapshot = (chart: Markup, name: string) => {
  elements(chart.text);
  return expect(lines(chart)).toMatchFileSnapshot(`snapshots/${name}.svg`);
};

describe('charts draw', () => {
  it('what engines did, with sections and a last bin that the run ends in', () =>
    snapshot(
      utilizationChart({
        seconds: 3.5e-3,
        sections: [
          { name: 'gemm', start: 0, end: 2e-3 },
          { name: 'relu', start: 2e-3, end: 3.5e-3 },
        ],
        rows: [
          {
            busy: 0.7,
            cores: '',
            timeline: {
              engine: 'array',
              bin: 1e-3,
              busy: [1, 0.8, 0.5, 0.25],
              waitInput: [0, 0.2, 0.25, 0.25],
              waitOutput: [0, 0, 0, 0],
              waitMemory: [0, 0, 0.25, 0],
              idle: [0, 0, 0, 0],
            },
          },
        ],
      }),
      'utilization',
    ));

  it('bandwidth under its peak', () =>
    snapshot(
      bandwidthChart(
        [{ name: 'hbm', bin: 1e-3, values: [1e11, 3e11, 3e11, 0], peak: 400 * 2 ** 30, mean: 1.75e11, cores: '' }],
        4e-3,
      ),
      'bandwidth',
    ));

  it('stacked columns, numbered as often as there is room', () =>
    snapshot(
      columnChart({
        label: 'Commands of each channel',
        one: 'channel',
        axis: 'channel',
        counted: 'commands',
        kinds: [
          { name: 'requests', colour: 'series0' },
          { name: 'refreshes', colour: 'series3' },
        ],
        values: [Array.from({ length: 48 }, (_, i) => 1000 + 20 * i), Array.from({ length: 48 }, () => 60)],
      }),
      'columns',
    ));

  it('a grid with areas that share a site, one that is marked, and links in steps of load', () => {
    const links = Array.from({ length: 4 * 6 }, () => 0);
    // East of the first site, west of the second, south of the second, north of the fifth.
    [links[0], links[5], links[6], links[19]] = [0.9, 0.05, 0.4, 0.65];
    const area = { isMarked: false, title: '' };
    const chart = gridChart({
      label: 'Stages on a grid',
      rows: 2,
      columns: 3,
      areas: [
        { ...area, number: '1', name: 'P', colour: 'series0', sites: [0, 3, 3, 4], title: 'P\n4 units' },
        { ...area, number: '3', name: 'Q', colour: 'series1', sites: [4, 1], isMarked: true, title: 'Q\n2 units' },
      ],
      links,
    });
    return snapshot(chart, 'grid');
  });

  it('lanes whose spans overlap, in as few rows as that takes', () =>
    snapshot(
      laneChart({
        label: 'Operators of one layer by side over time',
        legend: [],
        lanes: [
          {
            name: 'array',
            spans: [
              { name: 'qkv', colour: 'series0', start: 1e-6, end: 9e-6, about: 'array' },
              { name: 'projection', colour: 'series0', start: 14e-6, end: 15e-6, about: 'array' },
            ],
          },
          {
            name: 'PIM',
            spans: [
              { name: 'scores', colour: 'series1', start: 9e-6, end: 12e-6, about: 'PIM' },
              { name: 'context', colour: 'series1', start: 10e-6, end: 14e-6, about: 'PIM' },
            ],
          },
        ],
      }),
      'lanes',
    ));

  it('stretches of different lengths, with what is between them left empty', () =>
    snapshot(
      stretchChart({
        label: 'Requests in each iteration, and its length, over time',
        seconds: 1e-3,
        stretches: [
          { start: 1e-4, end: 3e-4, about: 'iteration 0' },
          { start: 5e-4, end: 1e-3, about: 'iteration 1' },
        ],
        strips: [
          {
            name: 'requests',
            unit: '',
            kinds: [
              { name: 'decode', colour: 'series0' },
              { name: 'prefill', colour: 'series1' },
            ],
            values: [
              [0, 2],
              [2, 1],
            ],
          },
          {
            name: 'each takes',
            unit: 's',
            kinds: [{ name: 'length of an iteration', colour: 'series2' }],
            values: [[2e-4, 5e-4]],
          },
        ],
      }),
      'stretches',
    ));

  it('spans filled to their occupancy, and shares of the run', () =>
    snapshot(
      ganttChart(
        [
          {
            engine: 'array',
            rows: [{ name: 'QK', start: 0, end: 2e-3, busy: 1e-3, share: 0.25, about: 'QK = Q * K' }],
          },
          { engine: 'vector', rows: [{ name: 'AV', start: 1e-3, end: 4e-3, busy: 3e-3, share: 0.75, about: 'AV' }] },
        ],
        4e-3,
      ),
      'gantt',
    ));

  it('stacked bars with names inside where they fit', () =>
    snapshot(
      barChart({
        label: 'Energy by part and action',
        legend: [
          { name: 'mac', colour: 'series0' },
          { name: 'read', colour: 'series1' },
        ],
        axis: 'energy',
        unit: 'J',
        rows: [
          {
            name: 'array',
            text: '1.9 J · 95 %',
            segments: [
              { colour: 'series0', value: 1.895, title: 'array mac', text: 'mac 1.9 J' },
              { colour: 'series1', value: 0.005, title: 'array read', text: 'read 5 mJ' },
            ],
          },
          { name: 'hbm', text: '0.1 J · 5 %', segments: [{ colour: 'series1', value: 0.1, title: 'hbm read' }] },
        ],
      }),
      'bars',
    ));

  it('a roofline with a slope, two levels and a name for each point', () =>
    snapshot(
      rooflineChart({
        memory: { name: 'hbm', peak: 4e11 },
        roofs: [
          { name: 'array', peak: 6e13 },
          { name: 'vector', peak: 2.4e11 },
        ],
        points: [
          { kind: 'run', name: 'whole run', intensity: 250, rate: 5e13 },
          { kind: 'engine', name: 'vector', intensity: 1.2, rate: 2.3e11 },
          { kind: 'einsum', name: 'AV', intensity: 0.5, rate: 2.5e10 },
        ],
      }),
      'roofline',
    ));
});

const banksOf = (ranks: number, groups: number, banks: number) =>
  [...Array(ranks * groups * banks).keys()].map((bank) => ({
    path: [
      `rank ${Math.floor(bank / banks / groups)}`,
      `bank group ${Math.floor(bank / banks) % groups}`,
      `bank ${bank % banks}`,
    ],
    counts: [bank, 0, 2 * bank],
    beside: 10 * bank,
    title: `bank ${bank}`,
  }));

const heat = (rows: ReturnType<typeof banksOf>, seconds = 2.5e-6) =>
  heatChart({ label: 'Accesses over time', rows, counted: 'accesses', beside: 'activations', bin: 1e-6, seconds });

/** What is written in a chart, with its place. */
const texts = ({ text }: Markup) =>
  [...text.matchAll(/<text[^>]* x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)</g)].map((match) => ({
    x: Number(match[1]),
    y: Number(match[2]),
    text: match[3]!,
  }));

describe('a heat map', () => {
  it('has banks down, time across, a scale in accesses per time, and bars beside', () =>
    snapshot(heat(banksOf(1, 2, 2)), 'heat'));

  it.each([
    [4, banksOf(1, 1, 4), ['bank']],
    [16, banksOf(1, 4, 4), ['bank group', 'bank']],
    [64, banksOf(4, 4, 4), ['rank', 'bank group', 'bank']],
    [256, banksOf(8, 8, 4), ['rank', 'bank group', 'bank']],
    [512, banksOf(2, 64, 4), ['rank', 'bank group', 'bank']],
  ])('names the levels of %i banks once, and no two names of a level overlap', (_, rows, names) => {
    const chart = heat(rows);
    const head = texts(chart).filter(({ text }) => ['rank', 'bank group', 'bank'].includes(text));
    expect(head.map(({ text }) => text)).toEqual(names);
    for (const { x } of head) {
      const column = texts(chart).filter((label) => label.x === x);
      expect(column.length).toBeGreaterThan(1);
      for (const [index, label] of column.slice(1).entries())
        expect(label.y - column[index]!.y).toBeGreaterThanOrEqual(11);
    }
  });

  it('gives the range of the banks where each has no room', () => {
    const written = (rows: ReturnType<typeof banksOf>) => texts(heat(rows)).map(({ text }) => text);
    expect(written(banksOf(1, 4, 4))).not.toContain('0–3');
    expect(written(banksOf(4, 4, 4)).filter((text) => text === '0–3')).toHaveLength(16);
    expect(written(banksOf(8, 8, 4)).filter((text) => text === '0–3')).toHaveLength(8);
  });

  it('takes the part of the last bin that the run reaches for its length, and not for the limit of its scale', () => {
    const row = (counts: number[]) => [{ path: ['bank 0'], counts, beside: 0, title: '' }];
    const cells = (counts: number[], seconds: number) =>
      [...heat(row(counts), seconds).text.matchAll(/class="(heat\d)" d="([^"]*)"/g)].map((match) => match.slice(1, 3));
    expect(cells([4, 4, 2], 2.5e-6)).toEqual([['heat9', 'M0 0.5h3']]);
    expect(cells([4, 1, 4], 2.01e-6)).toEqual(cells([4, 1, 0.1], 2.01e-6));
    expect(cells([0, 0, 0], 2.5e-6)).toEqual([]);
  });

  it('merges bins that are too many to see', () => {
    const counts = [...Array(400).keys()].map(() => 3);
    const chart = heatChart({
      label: '',
      rows: [{ path: ['bank 0'], counts, beside: 0, title: '' }],
      counted: 'accesses',
      beside: 'activations',
      bin: 1e-6,
      seconds: 4e-4,
    });
    expect(chart.text).toContain('viewBox="0 0 200 1"');
    expect(chart.text).toContain('d="M0 0.5h200"');
    expect(chart.text).toContain('>accesses per µs</text>');
  });
});

describe('the roofline', () => {
  it('places the whole run at its operations per byte and per second', () => {
    const result = attention();
    const ops = result.engines.reduce((sum, { ops }) => sum + ops, 0);
    const run = rooflineData(result)!.points[0]!;
    expect(run.intensity).toBe(ops / (4 * 64 * 12 * 64 * 1024 * 2));
    expect(run.rate).toBe(ops / result.seconds);
  });

  it('charges the bytes of each tensor to the einsums that read and write it', () => {
    const einsums = rooflineData(attention())!.points.filter(({ kind }) => kind === 'einsum');
    const tensor = 64 * 12 * 64 * 1024 * 2;
    expect(einsums.map(({ name }) => name).sort()).toEqual(['AV', 'QK', 'SLNV']);
    expect(einsums.find(({ name }) => name === 'QK')!.intensity).toBe((64 * 12 * 1024 * 1024 * 64) / (2 * tensor));
    expect(einsums.find(({ name }) => name === 'SLNV')!.intensity).toBe((64 * 12 * 1024 * 1024 * 64) / tensor);
  });

  it('has a point per section when there are several', () => {
    const sections = rooflineData(gemmThenRelu())!.points.filter(({ kind }) => kind === 'section');
    expect(sections.map(({ name }) => name)).toEqual(['gemm', 'relu']);
  });

  it('joins engines of one kind and peak into one roof', () => {
    const result = transformer();
    const [array, vector] = result.engines as [(typeof result.engines)[0], (typeof result.engines)[0]];
    const engines = [array, { ...array, name: 'array1' }, vector];
    expect(rooflineData({ ...result, engines })!.roofs).toEqual([
      { name: '2 × array', peak: 2 * array.peakOps },
      { name: 'vector', peak: vector.peakOps },
    ]);
  });
});

describe('labels', () => {
  const bounds = { left: 0, top: 0, width: 400, height: 200 };

  it('do not overlap, and are left out rather than crammed in', () => {
    const crowd = [...Array(60).keys()].map((index) => ({ text: `section-${index}`, x: 200, y: 100 }));
    const placed = placeLabels(crowd, [], bounds).map((label) => ({
      left: label.left,
      right: label.left + textWidth(label.text),
      baseline: label.baseline,
    }));
    expect(placed.length).toBeGreaterThan(4);
    expect(placed.length).toBeLessThan(60);
    for (const a of placed)
      for (const b of placed)
        if (a !== b && Math.abs(a.baseline - b.baseline) < 13)
          expect(a.right <= b.left || b.right <= a.left).toBe(true);
  });

  it('are cut to the width there is', () => {
    expect(ellipsis('QK', 100)).toBe('QK');
    expect(ellipsis('a-very-long-name-of-an-engine', 60)).toMatch(/^a-v.*…$/);
    expect(textWidth(ellipsis('a-very-long-name-of-an-engine', 60))).toBeLessThanOrEqual(60);
  });
});
