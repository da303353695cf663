import type { Result } from '../../models/result.ts';
import { alike, mean } from '../cores.ts';
import {
  bandwidth,
  count,
  exponent,
  fraction,
  hertz,
  joules,
  opsPerSecond,
  percent,
  seconds,
  share,
  squareMillimetres,
} from '../format.ts';
import type { Term } from '../glossary.ts';
import { type Markup, markup, type Part } from '../markup.ts';
import { sampledRounds, skippedRounds } from '../skipped.ts';
import { mainMemory } from '../traffic.ts';
import { section, sum, table, term } from './figure.ts';
import { servingFigures } from './serving.ts';

/** Engines that get a meter of their own on a card. */
const engineLimit = 5;

function facts(entries: readonly [string, Part][]): Markup {
  return markup`<dl class="facts">${entries
    .filter(([, value]) => value !== '')
    .map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

const described = (name: string, about: string, source: string): Markup =>
  markup`<strong>${name}</strong>${about === '' ? undefined : ` – ${about}`}${source === '' ? undefined : markup`<br><span class="soft">${source}</span>`}`;

export function header(result: Result): Markup {
  const { arch, workload, mapping } = result;
  const ranks = Object.entries(workload.ranks).map(([rank, size]) => `${rank}\u00a0${count(size)}`);
  const clocks = Object.entries(arch.clocks).map(([name, rate]) => `${name} ${hertz(rate)}`);
  const entries: [string, Part][] = [
    ['Workload', described(workload.name, workload.about, workload.source)],
    ['Machine', described(arch.name, arch.about, arch.source)],
    ['Mapping', mapping.name === '' ? '' : described(mapping.name, '', '')],
    ['Ranks', ranks.join(' · ')],
    ['Data type', workload.dtype],
    ['Clocks', clocks.join(' · ')],
  ];
  if (arch.overrides.length > 0) entries.push(['Overrides', markup`<code>${arch.overrides.join('  ')}</code>`]);
  const skipped = skippedRounds(result);
  if (skipped !== null) entries.push(['Skipped', `${skipped}: they repeat others, cycle for cycle`]);
  const sampled = sampledRounds(result);
  if (sampled !== null) entries.push(['Sampled', `${sampled}; what the others take is estimated`]);
  entries.push(['Made by', `Clockwright ${result.version}`]);
  return pageHeader(markup`${workload.name} <span class="soft">on</span> ${arch.name}`, entries);
}

/** The title of a page, and what it is about. */
export function pageHeader(title: Markup, entries: readonly [string, Part][]): Markup {
  return markup`<header><button type="button" id="theme" hidden>Dark or light</button><h1>${title}</h1>${facts(entries)}</header>\n`;
}

function card(key: Term, value: Part, ...more: Part[]): Markup {
  const wide = key === 'boundBy' ? ' wide' : '';
  return markup`<div class="card${wide}">${term(key)}<div class="figure">${value}</div>${more.map((line) => markup`<div class="more">${line}</div>`)}</div>\n`;
}

function meter(name: string, value: number, text: string): Markup {
  return markup`<div class="meter"><span>${name}</span><span class="track"><span style="width:${Math.min(1, Math.max(0, value)) * 100}%"></span></span><span class="number">${text}</span></div>`;
}

function utilizationCard({ engines }: Result): Markup {
  const compute = engines.filter((engine) => engine.kind !== 'dma');
  const rows = alike(compute.length > 0 ? compute : engines, ({ name }) => name)
    .map(({ name, cores, members }) => ({ name, cores, members, busy: mean(members.map((one) => one.utilization)) }))
    .toSorted((a, b) => b.busy - a.busy);
  const shown = rows.slice(0, engineLimit);
  const others = sum(rows.slice(engineLimit), ({ members }) => members.length);
  const counts = [...new Set(shown.map(({ cores }) => cores).filter((cores) => cores !== ''))];
  const long = shown.some(({ name }) => name.length > 9) ? ' long-names' : '';
  return markup`<div class="card${long}">${term('utilization')}${shown.map(({ name, busy }) => meter(name, busy, percent(busy)))}${
    counts.length > 0
      ? markup`<div class="more">mean of ${counts.map((cores, index) => [index > 0 ? ' or ' : '', term('cores', cores)])}</div>`
      : undefined
  }${others > 0 ? markup`<div class="more">and ${others} less busy</div>` : undefined}</div>\n`;
}

function bandwidthCard(result: Result): Markup | undefined {
  const memory = mainMemory(result);
  if (memory === undefined) return undefined;
  const used = fraction(memory.bandwidth, memory.peakBandwidth);
  return card(
    'bandwidth',
    bandwidth(memory.bandwidth, memory.peakBandwidth),
    memory.peakBandwidth > 0 ? `${memory.name}: ${percent(used)} of ${bandwidth(memory.peakBandwidth)}` : memory.name,
  );
}

function servingCard({ serving }: Result): Markup | undefined {
  if (serving === undefined) return undefined;
  const { value, more } = servingFigures(serving);
  return card('tokensPerSecond', value, ...more);
}

function largest(by: readonly [string, number][], total: number): string {
  return by
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, 3)
    .filter(([, value]) => value > 0)
    .map(([part, value]) => `${part} ${share(fraction(value, total))}`)
    .join(', ');
}

const energyByPart = ({ energy }: Result): [string, number][] =>
  Object.entries(energy.by).map(([part, actions]) => [part, sum(Object.values(actions), (joule) => joule)]);

export function cards(result: Result): Markup {
  const { bottleneck, energy, area } = result;
  const ops = sum(
    result.engines.filter((engine) => engine.kind !== 'dma'),
    (engine) => engine.ops,
  );
  const shares = bottleneck.shares.slice(0, 3).map(({ name, share: part }) => `${name} ${share(part)}`);
  return markup`<div class="cards">${card('latency', seconds(result.seconds), `${count(result.cycles)} cycles of ${result.clock}`)}${servingCard(result)}${card(
    'boundBy',
    bottleneck.kind === 'dependencies' ? 'dependencies' : bottleneck.part,
    `${bottleneck.part} ${percent(bottleneck.utilization)} busy`,
    shares.join(', '),
    bottleneck.reason,
  )}${utilizationCard(result)}${bandwidthCard(result)}${result.experts === undefined ? card('attained', opsPerSecond(fraction(ops, result.seconds))) : undefined}${
    energy.total > 0
      ? card('energy', joules(energy.total), largest(energyByPart(result), energy.total))
      : card('energy', 'not modelled')
  }${area.total > 0 ? card('area', squareMillimetres(area.total), largest(Object.entries(area.by), area.total)) : undefined}</div>
\n`;
}

export function notes(result: Result): Markup | undefined {
  return notesOf(result.notes);
}

export function notesOf(notes: readonly string[]): Markup | undefined {
  if (notes.length === 0) return undefined;
  return markup`<aside class="notes"><strong>Notes</strong><ul>${notes.map((note) => markup`<li>${note}</li>`)}</ul></aside>\n`;
}

export function values(result: Result): Markup | undefined {
  if (result.values === undefined) return undefined;
  return section(
    'values',
    table(
      [
        { term: 'tensor', cell: (output) => output.tensor },
        { term: 'elements', numeric: true, cell: (output) => count(output.elements) },
        { term: 'maxAbsError', numeric: true, cell: (output) => exponent(output.maxAbsError) },
        { term: 'maxRelError', numeric: true, cell: (output) => exponent(output.maxRelError) },
      ],
      result.values.outputs,
    ),
  );
}
