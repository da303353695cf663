import { describe, expect, it } from 'vitest';
import { commandsOf, pimJson, pimSummary } from '../../reports/pim.ts';
import { pimHtml } from '../../reports/pim-html.ts';
import { device, pimSample } from './pim-sample.ts';
import { elements } from './wellformed.ts';

const { report, window } = pimSample();
const page = pimHtml(report, window);
const shown = page.slice(page.indexOf('<main>'), page.indexOf('<section id="definitions">'));
const words = shown.replaceAll(/<[^>]*>/g, '');

describe('the page of a run of a PIM program', () => {
  it('is well-formed, loads nothing, and is the same when made again', () => {
    const all = elements(page);
    expect(all.length).toBeGreaterThan(100);
    const loading = all.filter(
      ({ name, attributes }) =>
        ['link', 'img', 'iframe', 'image', 'use'].includes(name) || attributes.has('src') || attributes.has('href'),
    );
    expect(loading).toEqual([]);
    expect(page).not.toMatch(/@import|url\(|fetch\(|import\(/);
    expect(shown).not.toMatch(/NaN|undefined|Infinity|\[object/);
    expect(pimHtml(report, window)).toBe(page);
    expect(page.length).toBeLessThan(400_000);
  });

  it('defines every term that it uses', () => {
    const all = elements(page);
    const defined = new Set(all.map(({ attributes }) => attributes.get('id')));
    const used = all.flatMap(({ attributes }) => attributes.get('popovertarget') ?? []);
    expect(used.length).toBeGreaterThan(12);
    for (const id of used) expect(defined).toContain(id);
  });

  it('tells what ran, who waited for whom, and what it took', () => {
    expect(words).toContain('AttAcc-HBM3, HBM3_8Gb_2R, HBM3_5200Mbps; 2 channels of 64 banks. Mode concurrent.');
    const { pim, ordinary } = report.activity.waits;
    expect(shown).toContain(`<td>PIM</td><td class="number">${total(pim)}</td>`);
    expect(shown).toContain(`<td>requests</td><td class="number">${total(ordinary)}</td>`);
    expect(shown).toMatch(/<title>requests, row buffer: [\d,]+ cycles, [\d.]+ %<\/title>/);
    expect(shown).toMatch(/<title>MACAB: [\d.]+ nJ, [\d.]+ %<\/title>/);
    expect(words).toContain('no background power is given');
  });

  it('draws channels that did the same on one line, and every bank', () => {
    expect(words).toContain('channel 0');
    expect(words).toContain('channel 1');
    const alike = { ...report.activity, channels: [...report.activity.channels, report.activity.channels[1]!] };
    expect(pimHtml({ ...report, activity: alike }, null)).toContain('channels 1 to 2');
    expect(shown).toContain('<title>pseudo channel 1, stack id 1, bank group 3, bank 3\nopen for PIM');
  });

  it('leaves out what did not happen', () => {
    const { waits, open } = report.activity;
    const nothing = { ...waits.pim, sent: 0, commandBus: 0, rowBuffer: 0, constraint: 0, refresh: 0, own: 0 };
    const quiet = {
      ...report.activity,
      waits: { pim: nothing, ordinary: nothing },
      open: { ...open, pim: open.pim.map((bank) => bank.map(() => 0)) },
    };
    const without = pimHtml({ ...report, activity: quiet, energy: null }, null);
    const main = without.slice(without.indexOf('<main>'), without.indexOf('<section id="definitions">'));
    expect(main).not.toMatch(/Who waited|Open rows by bank|Energy by command|one by one/);
    expect(main).toContain('Commands over time');
  });
});

const total = (waits: { [key: string]: number } | object) =>
  Object.values(waits)
    .reduce((sum: number, value: number) => sum + value, 0)
    .toLocaleString('en-US');

describe('commands one by one', () => {
  const data = JSON.parse(/id="commands">([\s\S]*?)<\/script>/.exec(page)![1]!);

  it('are those that were sent to the first channel, with what they hold', () => {
    const sent = Object.values(report.activity.channels[0]!.commands).reduce((sum, value) => sum + value, 0);
    expect(data.command).toHaveLength(sent);
    expect(window.isCut).toBe(false);
    const find = (name: string) => data.commands.find((one: { name: string }) => one.name === name);
    // All 64 banks in one run, until the first multiplication may follow, and from one to the next.
    expect(find('ACTAB')).toEqual({ name: 'ACTAB', role: 'opens', cycles: 19, banks: [[0, 64]], opens: 1 });
    expect(find('MACAB')).toMatchObject({ role: 'multiplies', cycles: 6, opens: 0 });
    expect(find('ACT')).toMatchObject({ role: 'opens', cycles: 20, banks: [[0, 1]] });
    expect(find('PREpb')).toMatchObject({ role: 'closes', opens: -1 });
    expect(find('WRGB')).toMatchObject({ role: 'moves', banks: [] });
    expect(data.levels).toEqual(['pseudo channel', 'stack id', 'bank group', 'bank']);
    expect(data.banks[63]).toBe('1.1.3.3');
  });

  it('begin where they are asked to, with the rows that are open then, and end where there are too many', () => {
    const { window: later } = pimSample(60, 10);
    expect(later.cycle[0]).toBeGreaterThanOrEqual(60);
    expect([later.cycle.length, later.isCut]).toEqual([10, true]);
    expect(later.open[63]).toBe(1);
    expect(window.open[63]).toBe(0);
    expect(pimHtml(report, later)).toContain('10 commands from cycle');
    expect(pimHtml(report, later)).toContain('more followed');
  });

  it('are drawn by a script that is one', () => {
    const script = /<script>\n([\s\S]*?)\n<\/script>/.exec(page)![1]!;
    expect(() => new Function(script)).not.toThrow();
  });

  it('escape what could end the script', () => {
    const hostile = { ...report.activity, banks: report.activity.banks.map((bank) => `${bank}</script><b>`) };
    expect(pimHtml({ ...report, activity: hostile }, window)).not.toContain('</script><b>');
  });
});

it('the JSON has all that programs may ask for', () => {
  const json = JSON.parse(pimJson(report));
  expect(json).toMatchObject({ standard: device.standard, mode: 'concurrent', cycles: report.activity.cycles });
  expect(json.commands).toEqual(commandsOf(report.activity));
  expect(json.commands).toMatchObject({ MACAB: 96, RD: 128, WRGB: 8 });
  expect(json.waits.ordinary).toEqual(report.activity.waits.ordinary);
  expect(json.channels).toHaveLength(2);
  expect(json.energy.by.MACAB).toBeGreaterThan(0);
});

it('the summary has ten lines or so', () => {
  const text = pimSummary(report, { report: 'out.html' });
  expect(text).toMatch(/^sample\.pim on AttAcc-HBM3\/HBM3_8Gb_2R\/HBM3_5200Mbps {3}[\d,]+ cycles of 769\.0 ps {3}/);
  expect(text).toMatch(/\nmemory {5}2 channels {3}concurrent {3}refresh all-bank\nPIM {8}sent \d+ %/);
  expect(text).toMatch(/\nlatency {4}31\.14 ns per read {3}40\.5 cycles\n/);
  expect(text).toMatch(/\nreport {5}out\.html\n$/);
  expect(text.split('\n').length).toBeLessThan(16);
});
