import { describe, expect, it } from 'vitest';
import type { Result } from '../../models/result.ts';
import { glossary } from '../../reports/glossary.ts';
import { htmlReport } from '../../reports/html.ts';
import { pictureSvg } from '../../reports/picture.ts';
import { foldsSample, onCores, takingTurns } from './cores-sample.ts';
import { attention, bare, empty, gemmThenRelu, hostile, hostileName, transformer } from './sample.ts';
import { elements } from './wellformed.ts';

const samples: [string, () => Result][] = [
  ['one fused section', attention],
  ['two sections', gemmThenRelu],
  ['twenty sections', transformer],
  ['a hundred and twenty sections', () => transformer(120)],
  ['four cores', () => onCores(4)],
  ['sixteen cores', () => onCores(16)],
  ['sections that repeat together', takingTurns],
  ['one einsum and nothing else', bare],
  ['no cycles at all', empty],
  ['names full of markup', hostile],
];

/** The page without its script, style and definitions, which are the same for every run. */
const shown = (page: string) => page.slice(page.indexOf('<main>'), page.indexOf('<section id="definitions">'));

/** One titled part of a page. */
const part = (page: string, id: string) => {
  const from = page.slice(page.indexOf(`<section id="${id}">`));
  return from.slice(0, from.indexOf('</section>'));
};

describe.each(samples)('the HTML report of a run with %s', (_, sample) => {
  const page = htmlReport(sample());

  it('is well-formed', () => {
    expect(elements(page).length).toBeGreaterThan(100);
  });

  it('has no NaN, undefined or infinity', () => {
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it('loads nothing', () => {
    const loading = elements(page).filter(
      ({ name, attributes }) =>
        ['link', 'img', 'iframe', 'image', 'use'].includes(name) ||
        ['src', 'href', 'xlink:href', 'srcset', 'data'].some((attribute) => attributes.has(attribute)),
    );
    expect(loading).toEqual([]);
    expect(page).not.toMatch(/@import|url\(|fetch\(|import\(/);
  });

  it('is the same bytes when made again', () => {
    expect(htmlReport(sample())).toBe(page);
  });

  it('defines every term it uses, reachable by keyboard', () => {
    const all = elements(page);
    const used = all.filter(({ attributes }) => attributes.has('popovertarget'));
    const defined = new Set(all.map(({ attributes }) => attributes.get('id')));
    expect(used.length).toBeGreaterThan(10);
    for (const { name, attributes } of used) {
      expect(name).toBe('button');
      expect(defined).toContain(attributes.get('popovertarget'));
    }
  });

  it('puts a term on every card, part and column', () => {
    const heads = [...shown(page).matchAll(/<(?:h2|h4|th scope[^>]*|div class="card(?: wide)?")>([\s\S]{0,22})/g)].map(
      (match) => match[1]!,
    );
    expect(heads.length).toBeGreaterThan(10);
    for (const head of heads) expect(head).toMatch(/^<button type="button"/);
  });

  it('is reasonably small', () => {
    expect(page.length).toBeLessThan(1_000_000);
  });
});

describe('the HTML report', () => {
  it('escapes names wherever they are written', () => {
    const page = htmlReport(hostile());
    expect(page).not.toContain(hostileName);
    expect(page).not.toMatch(/<b a=/);
    expect(page).toContain('&lt;b a=&quot;1&quot;&gt;&amp;&#39;');
  });

  it('uses every entry of the glossary somewhere', () => {
    const result = onCores(2);
    const rows = { ...result.memories[0]!, rowHits: 3, rowMisses: 2, rowConflicts: 1 };
    const values = { outputs: [{ tensor: 'Z1', elements: 4, maxAbs: 1, maxAbsError: 0, maxRelError: 0 }] };
    const page = htmlReport({ ...result, memories: [rows], values });
    const unused = Object.keys(glossary).filter((term) => !page.includes(`popovertarget="term-${term}"`));
    expect(unused).toEqual([]);
  });

  it('sums up what would not fit: a hundred sections make one page of charts', () => {
    const page = shown(htmlReport(transformer(120)));
    for (const text of ['88 others', '120 others', '224 others', 'All 240 einsums', 'All 120 sections'])
      expect(page.includes(text), text).toBe(true);
    expect(page.match(/class="f-span"/g)!.length).toBeLessThan(40);
  });

  it('gives the parts of several cores one line, bar and strip, with the mean, the range, and each core below', () => {
    const page = shown(htmlReport(onCores(16)));
    const engines = part(page, 'account');
    expect(engines).toContain('Mean of <button');
    expect(engines).toContain('<summary>All 33 engines</summary>');
    const line = /<tr><td><span class="part">core\.<wbr>array [\s\S]*?<\/tr>/.exec(engines)![0];
    expect(line).toContain('>16 cores</button>');
    expect(line).toContain('<td class="number">421,000<span class="range">413,500–<wbr>428,500</span></td>');
    expect(part(page, 'utilizationOverTime').match(/class="strong"/g)).toHaveLength(3);
    expect(part(page, 'bandwidthOverTime')).toContain('core.buffer');
    expect(part(page, 'bandwidthOverTime')).not.toContain('core[');
    expect(part(page, 'timeline').match(/class="f-span"/g)).toHaveLength(4);
    expect(part(page, 'sections')).toContain('All 32 buffers');
  });

  it('says where a lone core’s part differs by its own name', () => {
    const result = onCores(2);
    const engines = result.engines.filter(({ name }) => name !== 'core[0].vector');
    const page = shown(htmlReport({ ...result, engines }));
    expect(part(page, 'account')).toContain('core[1].vector');
    expect(part(page, 'account')).toContain('Mean of <button');
  });

  it('tells the product, the number of folds, their cycles and the PEs that have work', () => {
    const page = shown(htmlReport(foldsSample()));
    expect(part(page, 'sections')).toMatch(
      /<td>1\. gemm<\/td>\s*<td>2 of 12,544 × 64 × 147<\/td><td class="number">4<\/td><td class="number">12,544<\/td><td class="number">28\.7 %<\/td>/,
    );
    expect(part(shown(htmlReport(gemmThenRelu())), 'sections')).not.toContain('M × N × K');
  });

  it('gives sections that take turns one line, whose shares of the run add up', () => {
    const sections = part(shown(htmlReport(takingTurns())), 'sections');
    expect(sections).toContain('2.\u00a0attention-0 to norm-0</span></td><td class="number">3</td>');
    expect(sections).toContain('2.3 norm-0');
    const shares = [...sections.matchAll(/<td class="number">([\d.]+) %<\/td>/g)].map((match) => Number(match[1]));
    expect(shares.reduce((sum, value) => sum + value, 0)).toBeCloseTo(100, 0);
  });

  it('shows notes and overrides', () => {
    const result = attention();
    const page = htmlReport({
      ...result,
      arch: { ...result.arch, overrides: ['parts.array.rows=128'] },
      notes: ['the vector unit has no energy for "divide"'],
    });
    expect(page).toContain('parts.array.rows=128');
    expect(page).toContain('no energy for &quot;divide&quot;');
  });

  it('leaves out the roofline of a machine that never leaves the chip', () => {
    const result = attention();
    const page = htmlReport({ ...result, memories: result.memories.filter(({ kind }) => kind === 'scratchpad') });
    expect(page).not.toContain('<section id="roofline">');
  });
});

describe('the picture for a README', () => {
  it.each(samples)('is one well-formed SVG of a run with %s', (_, sample) => {
    const picture = pictureSvg(sample());
    expect(elements(picture)[0]!.name).toBe('svg');
    expect(picture).not.toMatch(/NaN|undefined|Infinity|var\(|light-dark/);
    expect(pictureSvg(sample())).toBe(picture);
  });

  it('needs no page around it', () => {
    expect(pictureSvg(attention())).toContain('xmlns="http://www.w3.org/2000/svg" width="900"');
  });
});
