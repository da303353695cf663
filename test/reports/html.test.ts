import { describe, expect, it } from 'vitest';
import type { Result } from '../../models/result.ts';
import { compare, type Saved } from '../../reports/comparison/compared.ts';
import { comparisonPage } from '../../reports/comparison/html.ts';
import { glossary } from '../../reports/glossary.ts';
import { htmlReport } from '../../reports/html.ts';
import { pictureSvg } from '../../reports/picture.ts';
import { pimHtml } from '../../reports/pim-html.ts';
import { compositionSample } from './composition-sample.ts';
import { foldsSample, onCores, takingTurns } from './cores-sample.ts';
import { dataflowSample } from './dataflow-sample.ts';
import { onDram } from './dram-sample.ts';
import { pimSample } from './pim-sample.ts';
import { attention, bare, empty, gemmThenRelu, hostile, hostileName, transformer } from './sample.ts';
import { decodeSample, serviceSample } from './serving-sample.ts';
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
  ['names full of markup', () => hostile()],
  ['DRAM of 16 banks', () => onDram()],
  ['DRAM of 256 banks', () => onDram({ ranks: 8, bankGroups: 8, banks: 4 }, 8)],
  ['DRAM with names full of markup', () => hostile(onDram())],
  ['a model that decodes', decodeSample],
  ['a service', serviceSample],
  ['a service with names full of markup', () => hostile(serviceSample())],
  ['pipelines on a grid', dataflowSample],
  ['pipelines with names full of markup', () => hostile(dataflowSample('none'))],
  ['DRAM and no cycles at all', () => ({ ...empty(), memories: onDram().memories })],
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
    const values = { outputs: [{ tensor: 'Z1', elements: 4, maxAbs: 1, maxAbsError: 0, maxRelError: 0 }] };
    const { memories, energy } = onDram();
    const { activity: pim } = pimSample().report;
    const computing = { ...memories[0]!, name: 'pim', pim };
    const page = htmlReport({ ...result, memories: [...memories, computing], energy, values });
    const sides = comparisonPage(
      compare([result, bare()].map((one) => ({ file: 'r.json', result: one })) as [Saved, Saved]),
    );
    const others = [...[decodeSample(), serviceSample(), compositionSample(), dataflowSample()].map(htmlReport), sides];
    const isElsewhere = (term: string) => others.some((one) => one.includes(`popovertarget="term-${term}"`));
    const unused = Object.keys(glossary)
      .filter((term) => !page.includes(`popovertarget="term-${term}"`))
      .filter((term) => term === 'pimEnergy' || !isElsewhere(term));
    // Those are on the page of a PIM program only; here the energy of that memory is not known.
    expect(unused).toEqual(['pimEnergy', 'pimWindow']);
    const replay = pimHtml(pimSample().report, pimSample().window);
    expect(unused.filter((term) => !replay.includes(`popovertarget="term-${term}"`))).toEqual([]);
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

describe('the HTML report of a run on DRAM', () => {
  const result = onDram();
  const page = shown(htmlReport(result));
  const dram = part(page, 'dram');
  const words = dram.replaceAll(/<[^>]*>/g, '');

  it('names the device, its channels and the policies of its controllers', () => {
    expect(words).toContain('hbm: DDR4, DDR4_8Gb_x8, DDR4_2400R; 2 channels of 16 banks, 64 B an access.');
    expect(words).toContain('Scheduler frfcfs; pages open; refresh all-bank; mapping RoBaRaCoCh.');
  });

  it('counts what accesses found, once: not under Memory again', () => {
    const { rowHits } = result.memories[0]!;
    const hits = `${rowHits.toLocaleString('en-US')} <span class="soft">93 %</span>`;
    expect(page.split(hits)).toHaveLength(2);
    expect(dram).toContain(hits);
    expect(dram).toContain('<td class="number">412</td><td class="number">1,033</td>');
  });

  it('draws hits, misses and conflicts as parts of a whole, and energy by command with its sum per bit', () => {
    expect(dram).toMatch(/<title>hbm row hits: [\d,]+, 93\.1 %<\/title>/);
    expect(dram).toContain('<title>hbm activate: 310 µJ, 22.7 %</title>');
    const bits = 8 * (result.memories[0]!.bytesRead + result.memories[0]!.bytesWritten);
    expect(dram).toContain(`1.36 mJ · ${((1.363e-3 / bits) * 1e12).toFixed(2)} pJ/bit`);
    expect(dram).not.toContain('refresh bank');
  });

  it('keeps actions that it has no colour for', () => {
    const by = { hbm: { activate: 1e-4, mac: 3e-4 } };
    const other = part(shown(htmlReport({ ...result, energy: { total: 4e-4, by } })), 'dram');
    expect(other).toContain('<title>hbm mac: 300 µJ, 75.0 %</title>');
    expect(other).toContain('>other</text>');
  });

  it('has a row for each bank that says on hover what the bank did', () => {
    const { activations, activity } = result.memories[0]!.dram!;
    const served = activity[5]!.reduce((sum, value) => sum + value, 0).toLocaleString('en-US');
    const opened = activations[5]!.toLocaleString('en-US');
    expect(dram).toContain(`<title>rank 0, bank group 1, bank 1\n${served} accesses\n${opened} activations</title>`);
    expect(dram.match(/class="hit"/g)).toHaveLength(16);
    expect(words).toContain('The 2 channels are added up.');
  });

  it('has colours for every step of the scale, for both themes', () => {
    const style = htmlReport(result).split('</style>')[0]!;
    const used = new Set([...dram.matchAll(/class="(heat\d+)"/g)].map((match) => match[1]!));
    expect(used.size).toBeGreaterThan(4);
    for (const name of used) expect(style).toMatch(new RegExp(`\\.${name} \\{ stroke: light-dark\\(rgb`));
  });

  it('shows the bandwidth of DRAM over time like any memory’s', () => {
    expect(part(page, 'bandwidthOverTime')).toContain('>hbm</text>');
  });

  it('puts the DRAM of several cores on one line and one map', () => {
    const memory = result.memories[0]!;
    const memories = [0, 1, 2].map((core) => ({ ...memory, name: `core[${core}].dram` }));
    const several = part(shown(htmlReport({ ...result, memories })), 'dram');
    expect(several.match(/aria-label="Accesses of each bank/g)).toHaveLength(1);
    expect(several.replaceAll(/<[^>]*>/g, '')).toContain('core.dram (3 cores): DDR4');
  });

  it('draws no map of banks that nothing reached', () => {
    const memory = result.memories[0]!;
    const idle = { ...memory.dram!, activity: memory.dram!.banks.map(() => [0, 0]) };
    const quiet = part(shown(htmlReport({ ...result, memories: [{ ...memory, dram: idle }] })), 'dram');
    expect(quiet).toContain('DDR4_2400R');
    expect(quiet).not.toContain('Accesses of each bank');
  });

  it('leaves no trace where no memory is DRAM: no part, definition or colour', () => {
    const memories = result.memories.map(({ dram: _, ...memory }) => memory);
    const without = htmlReport({ ...result, memories });
    expect(without).not.toMatch(/id="dram"|heat\d|DRAM/);
    expect(without).not.toContain(glossary.bankActivity.definition);
    const rows = part(shown(without), 'memory');
    expect(rows).toContain('popovertarget="term-rowHits"');
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
