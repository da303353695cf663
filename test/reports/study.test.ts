import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Chart } from '../../models/study/definition.ts';
import type { StudyReport } from '../../models/study/report.ts';
import type { StudyRow } from '../../models/study/run.ts';
import { axisOf, tickText } from '../../reports/study/axis.ts';
import { errorText, figureText } from '../../reports/study/columns.ts';
import { studyCsv } from '../../reports/study/csv.ts';
import { studyPage } from '../../reports/study/html.ts';
import { studyJson } from '../../reports/study/json.ts';
import { paretoFront } from '../../reports/study/pareto.ts';
import { studySummary } from '../../reports/study/terminal.ts';
import { elements } from './wellformed.ts';

const configs = ['flat', 'a <b> & "c"'];
const sizes = [1024, 4096, 16384];
const rows: StudyRow[] = configs.flatMap((config, i) =>
  sizes.map((size, j): StudyRow => {
    const point = { config, size };
    if (i === 1 && j === 2) return { point, error: 'it is <full>\nsecond line' };
    return { point, metrics: { latency: 1e-6 * size * (i + 1), area: 10 + j, none: null } };
  }),
);
const all: Chart[] = [
  { kind: 'curve', x: 'size', y: 'latency', by: 'config', log: 'xy' },
  { kind: 'curve', x: 'latency', y: 'area', panel: 'config' },
  { kind: 'heat', x: 'size', y: 'config', value: 'latency' },
  { kind: 'pareto', x: 'area', y: 'latency', label: 'size', log: 'y', most: 'x' },
  { kind: 'curve', x: 'size', y: 'none' },
  { kind: 'curve', x: 'size', y: 'nothing' },
];
const claim = { claim: 'c <d>', source: 's', target: 2, measured: 2.5, error: 0.25, holds: false, problem: null };
const report = (charts: readonly Chart[] = all): StudyReport => ({
  name: 'sample',
  about: 'of two & three',
  version: '1',
  parameters: [
    { name: 'config', values: configs },
    { name: 'size', values: sizes },
  ],
  metrics: ['latency', 'area', 'none'],
  units: { latency: 's', area: 'mm²' },
  rows,
  claims: [claim, { ...claim, measured: null, error: null, holds: null }],
  charts,
  isWhole: false,
  gridSize: 6,
});

describe('the page of a study', () => {
  const page = studyPage(report());

  it('is well-formed, loads nothing, and is the same each time', () => {
    expect(elements(page).length).toBeGreaterThan(100);
    expect(page).not.toMatch(/(src|href)=|url\(|@import/);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    expect(studyPage(report())).toBe(page);
  });

  it('has claims with errors, failed points, and every row', () => {
    expect(page).toContain('c &lt;d&gt;');
    expect(page).toContain('+25 %');
    expect(page).toContain('<span class="no">no</span>');
    expect(page).toContain('not measured');
    expect(page).toContain('it is &lt;full&gt;');
    expect(page.slice(page.indexOf('<h2>Rows</h2>')).match(/<tr>/g)).toHaveLength(7);
  });

  it('says where a chart has nothing to show', () => {
    expect(page).toContain('No row has a figure for this chart.');
    expect(page).toContain('No row has &quot;nothing&quot;.');
  });

  it('draws a mark for every row that has the figures, in the colour of its curve', () => {
    const marks = (chart: Chart, pattern: RegExp) => studyPage(report([chart])).match(pattern)?.length ?? 0;
    expect(marks(all[0]!, /<path class="f-series0 ring"[^>]*><title>/g)).toBe(3);
    expect(marks(all[0]!, /<path class="f-series1 ring"[^>]*><title>/g)).toBe(2);
    expect(marks(all[2]!, /<rect class="hit"/g)).toBe(5);
    // More area is better here, and less latency: of the first sizes only the faster configuration is on the front.
    expect(marks(all[3]!, /<circle class="f-series0 ring"[^>]*><title>/g)).toBe(3);
    expect(marks(all[3]!, /<circle class="f-others ring"[^>]*><title>/g)).toBe(2);
  });
});

describe('the front', () => {
  it('is what no other point beats', () => {
    const points = fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 8 })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(points, fc.constantFrom('', 'x', 'y', 'xy'), (list, most) => {
        const cost = (p: readonly number[]) => [
          most.includes('x') ? -p[0]! : p[0]!,
          most.includes('y') ? -p[1]! : p[1]!,
        ];
        const beats = (a: readonly number[], b: readonly number[]): boolean => {
          const [ca, cb] = [cost(a), cost(b)];
          return ca[0]! <= cb[0]! && ca[1]! <= cb[1]! && (ca[0]! < cb[0]! || ca[1]! < cb[1]!);
        };
        const front = paretoFront(
          list,
          (p) => p[0],
          (p) => p[1],
          most,
        );
        expect(new Set(front)).toEqual(new Set(list.filter((p) => !list.some((other) => beats(other, p)))));
      }),
    );
  });
});

describe('figures and axes', () => {
  it('are written for people', () => {
    expect([0.002014, 71.39, 0, null].map((value) => figureText(value, 's'))).toEqual([
      '2.014 ms',
      '71.39 s',
      '0 s',
      '–',
    ]);
    expect([1893104, 0.99839, 12345.6, 1.5e-7, 3e17].map((value) => figureText(value))).toEqual([
      '1,893,104',
      '0.9984',
      '12,346',
      '1.5e-7',
      '3e+17',
    ]);
    expect(figureText(412.25, 'mm²')).toBe('412.3 mm²');
    expect([0.0121, -0.32, 12.5].map(errorText)).toEqual(['+1.21 %', '-32 %', '+1,250 %']);
    expect([1024, 65536, 2 ** 20, 3000, 0.25, 0].map(tickText)).toEqual(['1 Ki', '64 Ki', '1 Mi', '3000', '0.25', '0']);
  });

  it('have all values within their range, and ticks too', () => {
    const options = { name: 'n', unit: 's' };
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        fc.boolean(),
        (values, log, exact) => {
          const axis = axisOf(values, [10, 210], { ...options, log, fromZero: !log, exact });
          for (const at of [...values.map(axis.at), ...axis.ticks.map((tick) => tick.at)]) {
            expect(at).toBeGreaterThanOrEqual(10 - 1e-6);
            expect(at).toBeLessThanOrEqual(210 + 1e-6);
          }
        },
      ),
    );
    expect(axisOf(['b', 'a', 'b'], [0, 100], { ...options, log: false, fromZero: false, exact: true }).ticks).toEqual([
      { at: 25, text: 'b' },
      { at: 75, text: 'a' },
    ]);
  });
});

describe('tables of a study', () => {
  it('have every row in their place, on a terminal, as JSON and as CSV', () => {
    const lines = studySummary(report()).split('\n');
    expect(lines[2]).toBe('config         size   latency    area  none');
    expect(lines[3]).toBe('flat          1,024  1.024 ms  10 mm²     –');
    expect(lines[8]).toBe('a <b> & "c"  16,384  failed: it is <full>');
    expect(JSON.parse(studyJson(report())).rows[5]).toEqual({
      config: configs[1],
      size: 16384,
      error: 'it is <full>\nsecond line',
    });
    expect(studyCsv(report()).split('\n')[6]).toBe('"a <b> & ""c""",16384,,,,"it is <full>');
  });
});
