import { describe, expect, it } from 'vitest';
import type { Result } from '../../models/result.ts';
import { compare, type Saved } from '../../reports/comparison/compared.ts';
import { comparisonPage } from '../../reports/comparison/html.ts';
import { comparisonText } from '../../reports/comparison/terminal.ts';
import { attention } from './sample.ts';
import { elements } from './wellformed.ts';

const first: Result = attention();

function variant(change: Partial<Result>): Result {
  return { ...first, ...change };
}

const names = (...results: readonly [Result, ...Result[]]): string[] => {
  const saved = results.map((result, i): Saved => ({ file: `${i}.json`, result })) as [Saved, ...Saved[]];
  return compare(saved).all.map(({ name }) => name);
};

const onOther = variant({ arch: { ...first.arch, name: 'other' } });
const wider = variant({ arch: { ...first.arch, overrides: ['array.rows=512'] } });
const longer = variant({ workload: { ...first.workload, ranks: { ...first.workload.ranks, P: 2048 } } });

describe('results side by side', () => {
  it('are called by what tells them apart', () => {
    expect(names(first, onOther)).toEqual([first.arch.name, 'other']);
    expect(names(first, longer)[1]).toBe('P 2,048');
    // The first lacks what the second has: nothing but its file names it.
    expect(names(first, wider)).toEqual(['0.json', 'array.rows=512']);
    expect(names(onOther, wider, wider)).toEqual([
      'other',
      `on ${first.arch.name}, array.rows=512 (1.json)`,
      `on ${first.arch.name}, array.rows=512 (2.json)`,
    ]);
  });

  it('are compared with the first', () => {
    const fast = variant({
      arch: onOther.arch,
      seconds: first.seconds / 4,
      energy: { ...first.energy, total: first.energy.total / 2 },
    });
    const text = comparisonText(
      compare([
        { file: 'a', result: first },
        { file: 'b', result: fast },
      ]),
      { report: 'c.html' },
    );
    const [, , head, one, two, , end] = text.split('\n');
    expect(head).toMatch(/^result +time +times as fast +energy +of the first +area +bound by$/);
    expect(one).toMatch(new RegExp(`^${first.arch.name} .* 1 .* 1 `));
    expect(two).toMatch(/^other .* 4 .* 0\.5 /);
    expect(end).toBe('report     c.html');
  });

  it('make a page that is whole, and escapes what it is given', () => {
    const odd = variant({ arch: { ...first.arch, name: '<b>&"' } });
    const page = comparisonPage(
      compare([
        { file: 'a', result: first },
        { file: 'b', result: odd },
      ]),
    );
    expect(elements(page).filter(({ name }) => name === 'section').length).toBeGreaterThan(4);
    expect(page).toContain('&lt;b&gt;&amp;&quot;');
    expect(page).not.toContain('<b>&');
  });

  it('say so where energy is not modelled', () => {
    const without = variant({ arch: onOther.arch, energy: { total: 0, by: {} } });
    const comparison = compare([
      { file: 'a', result: first },
      { file: 'b', result: without },
    ]);
    expect(comparisonText(comparison)).toMatch(/other .* – .* – /);
    expect(comparisonPage(comparison)).toContain('not modelled');
  });
});
