import { describe, expect, it } from 'vitest';
import { htmlReport } from '../../reports/html.ts';
import { summary } from '../../reports/terminal.ts';
import { decodeSample, decodeText, served, serviceSample } from './serving-sample.ts';
import { elements } from './wellformed.ts';

const shown = (page: string) => page.slice(page.indexOf('<main>'), page.indexOf('<section id="definitions">'));
const part = (page: string, id: string) => {
  const from = page.slice(page.indexOf(`<section id="${id}">`));
  return from.slice(0, from.indexOf('</section>'));
};
const words = (text: string) => text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

describe('the summary of a model that was served', () => {
  it('tells tokens, time by side and operator, and commands of the memory', () => {
    const result = decodeSample();
    const lines = summary(result).split('\n');
    const each = (1e6 * result.seconds) / 2;
    expect(lines[1]).toBe(
      `tokens     ${Math.round(18 / result.seconds).toLocaleString('en-US')} /s   ${each.toFixed(2)} µs between tokens   18 in 2 iterations   2 of 3 layers`,
    );
    expect(lines[2]).toMatch(/^time {7}array \d+ %: qkv \d+ %, /);
    expect(lines[3]).toMatch(/^ {11}PIM \d+ %: (context|scores) \d+ %, /);
    expect(lines.find((line) => line.startsWith('PIM'))).toMatch(/^PIM {8}[\d,]+ of [\d,]+ commands \(\d+ %\) {3}RD /);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('tells how requests fared that came and went', () => {
    const text = summary(serviceSample());
    expect(text).toMatch(/^requests {3}10 {3}queue [\d.]+ µs \(p99 [\d.]+ µs\) {3}first token /m);
    expect(text).toMatch(/^tokens {5}[\d,]+ \/s {3}\d+ in \d+ iterations of [\d.]+ µs$/m);
    expect(text).not.toMatch(/^PIM/m);
  });

  it('says of prompts that they are read, not generated', () => {
    const text = decodeText.replace('decode', 'prefill').replace('generate: 2\n', '').replace('200)', '40)');
    const line = summary(served('neupims', 'neupims', text)).split('\n')[1];
    expect(line).toMatch(/^tokens {5}[\d,]+ \/s of prompts {3}\d+ in 1 iteration of /);
    expect(line).not.toContain('between');
  });
});

describe('the page of a model that was served', () => {
  const page = htmlReport(decodeSample());

  it('is well-formed, without what a cascade has', () => {
    expect(elements(page).length).toBeGreaterThan(100);
    expect(shown(page)).not.toMatch(/NaN|undefined|Infinity|\[object/);
    expect(page).not.toContain('<section id="timeline">');
    expect(page).not.toContain('<section id="sections">');
    expect(page.length).toBeLessThan(600_000);
  });

  it('has a line for each operator: where it ran, how often, how long, by how many operations per byte', () => {
    const { serving, seconds } = decodeSample();
    const { runs, seconds: all, waited } = serving!.operators.find(({ name }) => name === 'qkv')!;
    const [, line] = /<tr><td>qkv<\/td>([\s\S]*?)<\/tr>/.exec(part(page, 'serving'))!;
    expect(words(line!).trim().split(' ')).toEqual([
      'array',
      '8',
      ((1e6 * all) / runs).toFixed(3),
      'µs',
      expect.stringMatching(/^[\d.]+$/),
      ((100 * (all - waited)) / seconds).toFixed(1),
      '%',
      ((100 * waited) / seconds).toFixed(1),
      '%',
    ]);
  });

  it('draws a layer by side, a bar for each operator and sub-batch', () => {
    const layer = part(page, 'oneLayer');
    const runs = decodeSample().serving!.firstLayer;
    expect(layer.match(/<rect class="f-series[01]"[^>]*><title>/g)).toHaveLength(runs.length);
    expect(layer).toMatch(/<title>scores\n[\s\S]*?PIM, sub-batch 2<\/title>/);
    expect(words(layer)).toMatch(/sub-batch 1 sub-batch 2/);
  });

  it('draws iterations, and the load of every channel', () => {
    expect(part(page, 'iterations').match(/<title>iteration \d/g)).toHaveLength(4);
    const pim = part(page, 'pim');
    expect(pim.match(/<title>channel \d+: [\d,]+ commands\nrequests/g)!.length).toBeGreaterThanOrEqual(32);
    expect(words(pim)).toMatch(/Commands for PIM: the fullest channel has [\d.]+ times the mean/);
    expect(words(pim)).toContain('NeuPIMs-HBM2');
    expect(words(pim)).not.toContain('Who waited for whom');
    expect(words(pim)).toContain('Energy by command');
  });

  it('shows who waited for room, and percentiles of requests', () => {
    const { requests } = serviceSample().serving!;
    const other = htmlReport(serviceSample());
    expect(words(part(other, 'iterations'))).toContain('wait for room');
    const row = words(part(other, 'requests')).split('Queue')[1]!;
    expect(row).toContain(`${(1e6 * requests!.queue.p90).toPrecision(4)} µs`);
    expect(shown(other)).not.toMatch(/NaN|undefined|Infinity|\[object/);
    expect(other).not.toContain('<section id="pim">');
  });
});
