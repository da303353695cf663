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

/** Channels that are drawn, and actions of energy; the others are put together. */
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

function commandsOverTime(pim: PimActivity): Markup {
  const perBin = pim.bin / pim.cycle;
  /** Of a bin, as much as the run lasts in it. */
  const rates = (values: readonly number[]) =>
    values.map((value, bin) => fraction(value, Math.min(perBin, pim.cycles + 1 - bin * perBin)));
  const groups = alikeChannels(pim.channels);
  const rows = groups.slice(0, drawn).map(({ indices, channel }): ShareRow => {
    const layers = [channel.pim, channel.ordinary, channel.refresh].map(rates);
    const sent = sum(Object.values(channel.commands), (value) => value);
    return { name: channelNames(indices), text: `${count(sent)} each`, layers };
  });
  for (const row of rows) if (row.name.startsWith('channel ')) row.text = row.text.replace(' each', ' commands');
  const most = Math.max(
    ...rows.map(({ layers }) => Math.max(...layers[0]!.map((_, bin) => sum(layers, (values) => values[bin]!)))),
  );
  const highest = [0.1, 0.2, 0.5, 1].find((limit) => most <= limit) ?? 2;
  const others = groups.slice(drawn).flatMap(({ indices }) => indices);
  return markup`<h3>${term('pimCommands')}</h3>${sharesChart({
    label: 'Commands of each channel per cycle over time',
    kinds,
    rows,
    highest,
    bin: pim.bin,
    seconds: pimSeconds(pim),
  })}${caption(`Commands per cycle of the clock: 100 % is one in every cycle.${others.length > 0 ? ` Not drawn: ${channelNames(others)}.` : ''}`)}`;
}

function loadOfChannels({ channels }: PimActivity): Markup | undefined {
  if (channels.length < 2) return undefined;
  const all = (values: readonly number[]) => sum(values, (value) => value);
  const values = [
    channels.map(({ pim: own }) => all(own)),
    channels.map(({ ordinary }) => all(ordinary)),
    channels.map(({ refresh }) => all(refresh)),
  ];
  const totals = channels.map((_, channel) => sum(values, (own) => own[channel]!));
  const [mean, most] = [all(totals) / channels.length, Math.max(...totals)];
  const [pimMean, pimMost] = [all(values[0]!) / channels.length, Math.max(...values[0]!)];
  return markup`<h3>${term('pimLoad')}</h3>${columnChart({
    label: 'Commands of each channel',
    one: 'channel',
    axis: 'channel',
    counted: 'commands',
    kinds,
    values,
  })}${caption(
    `The fullest channel has ${ratio(fraction(most, mean))} times the commands of the mean${pimMost > 0 ? `, and ${ratio(fraction(pimMost, pimMean))} times those for PIM` : ''}.`,
  )}`;
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
