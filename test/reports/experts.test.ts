import { describe, expect, it } from 'vitest';
import { htmlReport } from '../../reports/html.ts';
import { summary } from '../../reports/terminal.ts';
import { compositionSample } from './composition-sample.ts';
import { serviceSample } from './serving-sample.ts';
import { elements } from './wellformed.ts';

const part = (page: string, id: string) => {
  const from = page.slice(page.indexOf(`<section id="${id}">`));
  return from.slice(0, from.indexOf('</section>'));
};
const words = (text: string) => text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

describe('the summary of a composition of experts', () => {
  const result = compositionSample();
  const { experts } = result;

  it('tells where the time of a batch went, what was missing, and what lies where', () => {
    const lines = summary(result).split('\n');
    const ms = (seconds: number) => (1e6 * seconds) / 10;
    expect(lines[1]).toMatch(
      new RegExp(
        `^experts {4}12 of few expert {3}on one of 8 devices: [\\d.]+ KiB each, room for ${experts!.rooms} in hbm$`,
      ),
    );
    expect(lines[2]).toContain(
      `${ms(result.seconds).toPrecision(4)} µs   router ${ms(experts!.seconds.router).toPrecision(4)} µs (`,
    );
    expect(lines[3]).toMatch(
      new RegExp(
        `^requests {3}30 {3}${Math.round((100 * experts!.hits) / 30)} % find their expert in hbm {3}[\\d.]+ [KM]?i?B copied$`,
      ),
    );
    expect(lines[4]).toMatch(/^hbm {8}[\d.]+ of 4 MB {3}\d experts, [\d.]+ [KM]?i?B for 5 other tensors$/);
    expect(lines[5]).toMatch(/^ddr .* 12 experts$/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});

describe('the page of a composition of experts', () => {
  const page = htmlReport(compositionSample());
  const { experts } = compositionSample();

  it('is well-formed', () => {
    expect(elements(page).length).toBeGreaterThan(100);
    expect(page.slice(page.indexOf('<main>'), page.indexOf('<section id="definitions">'))).not.toMatch(
      /NaN|undefined|Infinity/,
    );
    expect(page).toContain('id="term-expertTiers"');
    expect(htmlReport(serviceSample())).not.toContain('id="term-expertTiers"');
  });

  it('has a bar for each thing that a batch does, and for each batch', () => {
    expect(words(part(page, 'experts'))).toMatch(/ router [\s\S]* switching [\s\S]* experts /);
    const batches = part(page, 'expertBatches');
    for (let batch = 0; batch < 10; batch++) expect(batches).toContain(`<title>batch ${batch} at `);
    expect(batches).toContain(`${experts!.batches[3]!.misses} of 3 requests missed`);
  });

  it('draws every tier in every section, and has a line for each tensor', () => {
    const tiers = words(part(page, 'expertTiers'));
    for (const name of ['hbm', 'ddr'])
      for (const section of experts!.sections) expect(tiers).toContain(`${name}, ${section}`);
    for (const { name } of experts!.tiers[0]!.tensors) expect(tiers).toContain(name);
    expect(tiers).toContain('router to tokens');
  });
});
