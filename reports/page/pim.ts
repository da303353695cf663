import type { PimActivity, PimWaits, Result } from '../../models/result.ts';
import { type BarRow, barChart } from '../charts/bars.ts';
import { columnChart } from '../charts/columns.ts';
import { heatChart } from '../charts/heat.ts';
import { type ShareRow, sharesChart } from '../charts/shares.ts';
import { count, fraction, joules, percent, ratio, seconds, share } from '../format.ts';
import type { Term } from '../glossary.ts';
import { type Markup, markup } from '../markup.ts';
import type { Colour } from '../palette.ts';
import { type Column, caption, section, sum, table, term } from './figure.ts';

/** Channels that are drawn one by one, and actions of energy; of more there are means and others. */
const drawn = 12;

const kinds = [
  { name: 'PIM', colour: 'series1' },
  { name: 'requests', colour: 'series0' },
  { name: 'refreshes', colour: 'series3' },
] as const;

const plural = (number: number, one: string): string => `${count(number)} ${one}${number === 1 ? '' : 's'}`;

export const pimSeconds = ({ cycles, cycle }: PimActivity): number => cycles * cycle;

function describe(pim: PimActivity): Markup {
  return caption(
    markup`${pim.standard}, ${pim.organisation}, ${pim.speed}; ${plural(pim.channels.length, 'channel')} of ${plural(pim.banks.length, 'bank')}. ${term('pimMode')} ${pim.mode}. ${term('pimLength')} ${count(pim.cycles)} cycles of ${seconds(pim.cycle)}, ${seconds(pimSeconds(pim))}.`,
  );
}

type Channel = PimActivity['channels'][number];

/** `channel 3`, `channels 0 to 15`, `channels 0, 2`. */
function channelNames(indices: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const index of indices) {
    const last = runs.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  }
  const texts = runs.map(([first, last]) => (first === last ? `${first}` : `${first} to ${last}`));
  return `channel${indices.length === 1 ? '' : 's'} ${texts.join(', ')}`;
}

/** Channels that did the same in every bin together, in order of the first of them. */
function alikeChannels(channels: readonly Channel[]): { indices: number[]; channel: Channel }[] {
  const groups = new Map<string, { indices: number[]; channel: Channel }>();
  for (const [index, channel] of channels.entries()) {
    const key = JSON.stringify([channel.pim, channel.ordinary, channel.refresh]);
    const group = groups.get(key);
    if (group) group.indices.push(index);
    else groups.set(key, { indices: [index], channel });
  }
  return [...groups.values()];
}

type Group = ReturnType<typeof alikeChannels>[number];

interface NamedChannel {
  name: string;
  channel: Channel;
  /** A channel by itself, whatever others do. */
  isLone: boolean;
}

const sentTo = ({ commands }: Channel): number => sum(Object.values(commands), (value) => value);

const named = ({ indices, channel }: Group): NamedChannel => ({
  name: channelNames(indices),
  channel,
  isLone: indices.length === 1,
});

function meanOf(channels: readonly Channel[]): NamedChannel {
  const over = (key: 'pim' | 'ordinary' | 'refresh') =>
    channels[0]![key].map((_, bin) => sum(channels, (channel) => channel[key][bin]!) / channels.length);
  const commands = { all: sum(channels, sentTo) / channels.length };
  const channel = { commands, pim: over('pim'), ordinary: over('ordinary'), refresh: over('refresh') };
  return { name: `mean of ${channels.length}`, channel, isLone: false };
}

/** The fullest and the emptiest, by commands for PIM where there are any. */
function extremes(groups: readonly Group[]): NamedChannel[] {
  const forPim = ({ channel }: Group) => sum(channel.pim, (value) => value);
  const ranked = groups.toSorted(
    (a, b) => forPim(b) - forPim(a) || sentTo(b.channel) - sentTo(a.channel) || a.indices[0]! - b.indices[0]!,
  );
  return [ranked[0]!, ranked.at(-1)!].map(named);
}

function commandsOverTime(pim: PimActivity): Markup {
  const perBin = pim.bin / pim.cycle;
  /** Of a bin, as much as the run lasts in it. */
  const rates = (values: readonly number[]) =>
    values.map((value, bin) => fraction(value, Math.min(perBin, pim.cycles + 1 - bin * perBin)));
  const groups = alikeChannels(pim.channels);
  const shown = groups.length > drawn ? [meanOf(pim.channels), ...extremes(groups)] : groups.map(named);
  const rows = shown.map(({ name, channel, isLone }): ShareRow => {
    const layers = [channel.pim, channel.ordinary, channel.refresh].map(rates);
    return { name, text: `${count(sentTo(channel))} ${isLone ? 'commands' : 'each'}`, layers };
  });
  const most = Math.max(
    ...rows.map(({ layers }) => Math.max(...layers[0]!.map((_, bin) => sum(layers, (values) => values[bin]!)))),
  );
  const highest = [0.1, 0.2, 0.5, 1].find((limit) => most <= limit) ?? 2;
  return markup`<h3>${term('pimCommands')}</h3>${sharesChart({
    label: 'Commands of each channel per cycle over time',
    kinds,
    rows,
    highest,
    bin: pim.bin,
    seconds: pimSeconds(pim),
  })}${caption(`Commands per cycle of the clock: 100 % is one in every cycle.${groups.length > drawn ? ' Drawn are the mean, the fullest channel and the emptiest.' : ''}`)}`;
}

function loadOfChannels({ channels }: PimActivity): Markup | undefined {
  if (channels.length < 2) return undefined;
  const of = (key: 'pim' | 'ordinary' | 'refresh') => channels.map((channel) => sum(channel[key], (value) => value));
  const charts = [
    { what: 'for PIM', kinds: kinds.slice(0, 1), values: [of('pim')] },
    { what: 'for requests and refreshes', kinds: kinds.slice(1), values: [of('ordinary'), of('refresh')] },
  ].filter(({ values }) => values.some((counts) => counts.some((value) => value > 0)));
  const drawings = charts.map(({ what, kinds: shown, values }) => {
    const totals = channels.map((_, channel) => sum(values, (counts) => counts[channel]!));
    const mean = sum(totals, (value) => value) / channels.length;
    return markup`${columnChart({
      label: `Commands of each channel ${what}`,
      one: 'channel',
      axis: 'channel',
      counted: 'commands',
      kinds: shown,
      values,
    })}${caption(`Commands ${what}: the fullest channel has ${ratio(fraction(Math.max(...totals), mean))} times the mean.`)}`;
  });
  return markup`<h3>${term('pimLoad')}</h3>${drawings}`;
}

function openRows(pim: PimActivity): Markup {
  const { ordinary, pim: own } = pim.open;
  const ofBanks = (shares: readonly (readonly number[])[]): number[] =>
    (shares[0] ?? []).map((_, bin) =>
      fraction(
        sum(shares, (bank) => bank[bin]!),
        shares.length,
      ),
    );
  const layers = [ofBanks(own), ofBanks(ordinary)];
  const highest = Math.max(...layers[0]!.map((value, bin) => value + layers[1]![bin]!)) > 1 ? 2 : 1;
  return markup`<h3>${term('pimOpen')}</h3>${sharesChart({
    label: 'Share of the banks that have a row open over time',
    kinds: kinds.slice(0, 2),
    rows: [{ name: 'banks', text: 'with a row', layers }],
    highest,
    bin: pim.bin,
    seconds: pimSeconds(pim),
  })}`;
}

function bankMap(pim: PimActivity): Markup | undefined {
  const length = pimSeconds(pim);
  const { ordinary, pim: own } = pim.open;
  if (!own.some((bank) => bank.some((value) => value > 0))) return undefined;
  const covered = (bin: number) => Math.max(0, Math.min(pim.bin, length - bin * pim.bin));
  const inTotal = (shares: readonly number[]) =>
    fraction(
      sum(
        shares.map((value, bin) => value * covered(bin)),
        (part) => part,
      ),
      length,
    );
  const rows = pim.banks.map((path, bank) => {
    const [forPim, forRequests] = [inTotal(own[bank]!), inTotal(ordinary[bank]!)];
    return {
      path: path.split(', '),
      counts: own[bank]!.map((value, bin) => value * covered(bin)),
      beside: 100 * forRequests,
      title: `${path}\nopen for PIM ${percent(forPim)}\nfor requests ${percent(forRequests)}`,
    };
  });
  return markup`<h3>${term('pimBanks')}</h3>${heatChart({
    label: 'Share of time in which each bank has a row open for PIM',
    rows,
    counted: 'open for PIM',
    areShares: true,
    beside: 'for requests (%)',
    bin: pim.bin,
    seconds: length,
  })}`;
}

const outcomes: readonly { key: keyof PimWaits; name: string; colour: Colour; term: Term }[] = [
  { key: 'sent', name: 'sent', colour: 'series2', term: 'waitSent' },
  { key: 'commandBus', name: 'command bus', colour: 'series4', term: 'waitCommandBus' },
  { key: 'rowBuffer', name: 'row buffer', colour: 'series5', term: 'waitRowBuffer' },
  { key: 'constraint', name: 'constraints', colour: 'series1', term: 'waitConstraint' },
  { key: 'turn', name: 'turn', colour: 'series0', term: 'waitTurn' },
  { key: 'refresh', name: 'refresh', colour: 'series3', term: 'waitRefresh' },
  { key: 'own', name: 'itself', colour: 'idle', term: 'waitOwn' },
];

const allOf = (waits: PimWaits): number => sum(outcomes, ({ key }) => waits[key]);

function waits({ waits: of }: PimActivity): Markup | undefined {
  if (of === undefined) return undefined;
  const rows = [
    { name: 'PIM', waits: of.pim },
    { name: 'requests', waits: of.ordinary },
  ].filter((row) => allOf(row.waits) > 0);
  if (rows.length === 0) return undefined;
  const columns: Column<(typeof rows)[number]>[] = [
    { term: 'pimWho', cell: ({ name }) => name },
    { term: 'pimCycles', numeric: true, cell: (row) => count(allOf(row.waits)) },
    ...outcomes.map(
      ({ key, term: name }): Column<(typeof rows)[number]> => ({
        term: name,
        numeric: true,
        cell: (row) =>
          row.waits[key] === 0
            ? '0'
            : markup`${count(row.waits[key])} <span class="soft">${share(fraction(row.waits[key], allOf(row.waits)))}</span>`,
      }),
    ),
  ];
  const bars = rows.map(
    (row): BarRow => ({
      name: row.name,
      text: '',
      segments: outcomes.map(({ key, name, colour }) => {
        const part = fraction(row.waits[key], allOf(row.waits));
        return {
          colour,
          value: part,
          title: `${row.name}, ${name}: ${count(row.waits[key])} cycles, ${percent(part)}`,
          text: share(part),
        };
      }),
    }),
  );
  const used = outcomes.filter(({ key }) => rows.some((row) => row.waits[key] > 0));
  return markup`<h3>${term('pimWaits')}</h3>${barChart({
    label: 'What cycles with something waiting went to',
    legend: used,
    axis: 'cycles with something waiting',
    unit: '%',
    scale: { divisor: 0.01, unit: '%' },
    rows: bars,
  })}${table(columns, rows)}`;
}

const backgrounds = ['background active', 'background precharged'];

function energyBars(pim: PimActivity, by: { readonly [action: string]: number }): Markup | undefined {
  const all = Object.entries(by)
    .filter(([, joule]) => joule > 0)
    .toSorted((a, b) => b[1] - a[1]);
  if (all.length === 0) return undefined;
  const total = sum(all, ([, joule]) => joule);
  const rest = all.slice(drawn);
  const rows = [
    ...all.slice(0, drawn),
    ...(rest.length > 0 ? [[`${rest.length} others`, sum(rest, ([, joule]) => joule)] as const] : []),
  ];
  const power = fraction(total, pimSeconds(pim));
  return markup`<h3>${term('pimEnergy')}</h3>${barChart({
    label: 'Energy by command',
    legend: [],
    axis: 'energy',
    unit: 'J',
    rows: rows.map(([name, joule]) => ({
      name,
      text: `${joules(joule)} · ${share(fraction(joule, total))}`,
      segments: [
        {
          colour: backgrounds.includes(name) ? 'others' : 'series2',
          value: joule,
          title: `${name}: ${joules(joule)}, ${percent(fraction(joule, total))}`,
        },
      ],
    })),
  })}${caption(`${joules(total)} in all, ${ratio(power)} W on average.`)}`;
}

/** What one memory did that computes; `by` is its energy in joules. */
export function pimParts(pim: PimActivity, by: { readonly [action: string]: number }): Markup {
  return markup`${describe(pim)}${waits(pim)}${loadOfChannels(pim)}${commandsOverTime(pim)}${openRows(pim)}${bankMap(pim)}${energyBars(pim, by)}`;
}

/** Memories that compute. */
export function pimTables({ memories, energy }: Result): Markup | undefined {
  const parts = memories.flatMap(({ name, pim }) =>
    pim === undefined ? [] : [markup`<h3>${name}</h3>${pimParts(pim, energy.by[name] ?? {})}`],
  );
  return parts.length === 0 ? undefined : section('pim', parts);
}
