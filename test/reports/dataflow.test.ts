import { describe, expect, it } from 'vitest';
import type { PipelineResult, Result } from '../../models/result.ts';
import { htmlReport } from '../../reports/html.ts';
import { dataflowSample } from './dataflow-sample.ts';
import { attention } from './sample.ts';
import { elements } from './wellformed.ts';

const part = (page: string, id: string) => {
  const from = page.slice(page.indexOf(`<section id="${id}">`));
  return from.slice(0, from.indexOf('</section>'));
};
const words = (text: string) => text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

/** The sample with its only section changed. */
function changed(change: (section: PipelineResult) => Partial<PipelineResult>): Result {
  const result = dataflowSample();
  const { dataflow } = result;
  if (dataflow === undefined) throw new Error('it ran on no grid');
  return {
    ...result,
    dataflow: { ...dataflow, sections: dataflow.sections.map((one) => ({ ...one, ...change(one) })) },
  };
}

/** Sites whose squares a path draws: each begins with a move. */
const squares = (path: string) => path.split('M').length - 1;

describe('the page of pipelines on a grid', () => {
  const result = dataflowSample();
  const page = htmlReport(result);
  const section = result.dataflow?.sections[0];

  it('tells launches, operations for each byte, and the share of each section', () => {
    const text = words(part(page, 'pipelines'));
    const share = (100 * (section?.cycles ?? 0)) / result.cycles;
    expect(text).toContain('A grid of 4 x 6 sites. 1 kernel was launched by the unit itself in 2.000 µs');
    expect(text).toContain('Operations for each byte : 51.4, of 3.16 Mop in all.');
    expect(text).toContain(`chain: P Q Y 1 5,490 8 P ${share.toFixed(1)} %`);
  });

  it('has a square for each PCU of a stage, and for each site without one', () => {
    const grid = part(page, 'stageGrid');
    const paths = [...grid.matchAll(/<path class="f-(\w+)( marked)?" d="([^"]*)"><title>([^<]*)/g)];
    // P is marked and drawn last, as it is the busiest.
    expect(
      paths.map(([, colour, marked, d, title]) => [colour, marked ?? '', squares(d!), title!.split('\n')[0]]),
    ).toEqual([
      ['series1', '', 2, '5. Q'],
      ['series2', '', 8, '7. Y'],
      ['series0', ' marked', 14, '3. P'],
    ]);
    expect(words(grid)).toContain('The busiest stage is P, which is outlined.');
  });

  it('draws every link that something passed over, and no other', () => {
    const links = [...part(page, 'stageGrid').matchAll(/<path class="heat\d"[^>]* d="([^"]*)"><title>(\d+) links? /g)];
    const drawn = links.reduce((sum, [, d]) => sum + squares(d!), 0);
    expect(drawn).toBe(section?.links.filter((load) => load > 0).length);
    expect(links.reduce((sum, link) => sum + Number(link[2]), 0)).toBe(drawn);
    const style = page.split('</style>')[0];
    expect(style).toContain('.heat9 {');
    expect(style).toContain('.marked {');
  });

  it('accounts for the cycles of each stage in the order of the graph, beside its rate', () => {
    const stages = part(page, 'stageAccount');
    const names = [...stages.matchAll(/text-anchor="end">(\d+\. [^<]*)<title>/g)].map((match) => match[1]);
    expect(names).toEqual(section?.stages.map(({ name }, index) => `${index + 1}. ${name}`));
    expect(stages).toContain('<title>3. P waits for memory: 70.5 %, 3,868 cycles</title>');
    expect(stages).toContain('>51 cycles a tile, busiest</text>');
    expect(stages).toContain('>48 cycles a tile</text>');
    expect(words(stages)).toContain('1. load X load 0 8 11 88 0 3,157 0 2,245');
  });

  it('counts what memory takes among the cycles of a tile', () => {
    const slow = changed(({ stages }) => ({ stages: stages.map((one) => ({ ...one, busy: 2000, tiles: 8 })) }));
    const stages = part(htmlReport(slow), 'stageAccount');
    expect(stages).toContain('>250 cycles a tile</text>');
    expect(words(stages)).toContain('1. load X load 0 8 11 2,000');
  });

  it('shows the section that took longest with all its runs', () => {
    const several = dataflowSample('none');
    const sections = several.dataflow!.sections.map((one, index) => ({ ...one, repeat: index === 1 ? 5 : 1 }));
    const other = htmlReport({ ...several, dataflow: { ...several.dataflow!, sections } });
    expect(words(part(other, 'stageAccount'))).toContain('chain: Q: 5,036 cycles for 8 tiles.');
    expect(words(part(other, 'stageGrid'))).toContain('busiest stage is load P, which has no PCUs');
    expect(part(other, 'stageGrid')).toContain('<title>2 sites without a stage</title>');
    const table = words(part(other, 'pipelines'));
    expect(table).toMatch(/chain: P 1 5,248 .*chain: Q 5 5,036 .*chain: Y 1 5,122 /);
  });

  it('draws a bounded number of stages, with the busiest among them', () => {
    const crowded = htmlReport(
      changed(({ stages }) => ({
        stages: Array.from({ length: 90 }, (_, i) => ({ ...stages[2]!, name: `P${i}`, busy: i, sites: [i % 24] })),
        bottleneck: 'P89',
      })),
    );
    expect(elements(crowded).length).toBeGreaterThan(100);
    const accounts = part(crowded, 'stageAccount');
    expect(accounts.match(/text-anchor="end">\d+\. P/g)).toHaveLength(40);
    expect(accounts).toContain('text-anchor="end">90. P89<');
    expect(words(accounts)).toContain('Left out: 50 less busy; the table has all.');
    expect(words(part(crowded, 'stageGrid'))).toContain('66 others, by number');
  });

  it('leaves out a grid that is too large to be seen, and links that nothing passed over', () => {
    const { dataflow } = result;
    const large = htmlReport({ ...result, dataflow: { ...dataflow!, rows: 200, columns: 200 } });
    expect(large).not.toContain('<section id="stageGrid">');
    expect(large).toContain('<section id="stageAccount">');
    const quiet = part(htmlReport(changed(({ links }) => ({ links: links.map(() => 0) }))), 'stageGrid');
    expect(quiet).not.toMatch(/heat\d|in use/);
  });

  it('leaves no trace of itself on other pages', () => {
    expect(htmlReport(attention())).not.toMatch(/id="(pipelines|stageGrid|term-stageGrid)"|\.marked|heat\d/);
  });
});
