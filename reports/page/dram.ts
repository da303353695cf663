import type { DramResult, MemoryResult, Result } from '../../models/result.ts';
import { type BarRow, barChart } from '../charts/bars.ts';
import { heatChart } from '../charts/heat.ts';
import { type Alike, alike, mean, meanOverTime } from '../cores.ts';
import { bytes, count, fraction, joules, percent, ratio, share } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import type { Colour } from '../palette.ts';
import { caption, figure, meansCaption, section, spread, sum, table, term } from './figure.ts';
import { moved, rowAccesses, rowColumns } from './memories.ts';

/** Memories with bars, and those of them with a picture of their banks; the table has all. */
const drawn = 12;
const mapped = 3;

type Dram = MemoryResult & { dram: DramResult };

const isDram = (memory: MemoryResult): memory is Dram => memory.dram !== undefined;

const plural = (number: number, one: string): string => `${number} ${one}${number === 1 ? '' : 's'}`;

function describe({ name, cores, members: [memory] }: Alike<Dram>): Markup | undefined {
  if (memory === undefined) return undefined;
  const { dram } = memory;
  const owners = cores === '' ? undefined : markup` (${term('cores', cores)})`;
  return caption(
    markup`<strong>${name}</strong>${owners}: ${dram.standard}, ${term('organisation', dram.organisation)}, ${term('speedGrade', dram.speed)}; ${plural(dram.channels, 'channel')} of ${plural(dram.banks.length, 'bank')}, ${bytes(dram.burstBytes)} an ${term('burst', 'access')}. ${term('scheduler')} ${dram.scheduler}; ${term('pagePolicy', 'pages')} ${dram.page}; ${term('refreshPolicy', 'refresh')} ${dram.refresh}; ${term('addressMapping', 'mapping')} ${dram.mapping}.`,
  );
}

function countTable(rows: readonly Alike<Dram>[]): Markup {
  return table(
    [
      ...rowColumns,
      figure<Dram>('activations', ({ dram }) => sum(dram.activations, (value) => value), count),
      figure<Dram>('forwarded', ({ dram }) => dram.forwarded, count),
      figure<Dram>('coalesced', ({ dram }) => dram.coalesced, count),
      {
        term: 'channelTraffic',
        numeric: true,
        cell: ({ members }) =>
          spread(
            members.flatMap(({ dram }) => dram.channelBytes),
            bytes,
          ),
      },
    ],
    rows,
  );
}

const outcomes = [
  { key: 'rowHits', name: 'row hits', colour: 'series2' },
  { key: 'rowMisses', name: 'row misses', colour: 'series1' },
  { key: 'rowConflicts', name: 'row conflicts', colour: 'series5' },
] as const;

function outcomeBars(rows: readonly Alike<Dram>[]): Markup | undefined {
  const used = rows.filter(({ members }) => sum(members, rowAccesses) > 0);
  if (used.length === 0) return undefined;
  const bars = used.map(
    ({ name, members }): BarRow => ({
      name,
      text: '',
      segments: outcomes.map(({ key, name: outcome, colour }) => {
        const of = sum(members, (memory) => memory[key]);
        const part = fraction(of, sum(members, rowAccesses));
        return {
          colour,
          value: part,
          title: `${name} ${outcome}: ${count(of)}, ${percent(part)}`,
          text: `${outcome} ${share(part)}`,
        };
      }),
    }),
  );
  return markup`<h3>${term('rowOutcomes')}</h3>${barChart({
    label: 'Accesses by what they found in their bank',
    legend: outcomes,
    axis: 'accesses',
    unit: '%',
    scale: { divisor: 0.01, unit: '%' },
    rows: bars,
  })}`;
}

const actionColours: readonly { name: string; colour: Colour }[] = [
  { name: 'activate', colour: 'series5' },
  { name: 'read', colour: 'series0' },
  { name: 'write', colour: 'series4' },
  { name: 'refresh', colour: 'series3' },
  { name: 'refresh bank', colour: 'series1' },
  { name: 'background active', colour: 'others' },
  { name: 'background precharged', colour: 'idle' },
];

/** What a machine's tables name otherwise. */
const otherAction: Colour = 'series2';

interface Spent {
  name: string;
  colour: Colour;
  joule: number;
}

/** Mean joules of each action of memories of one kind, in the order of the legend. */
function actionsOf({ members }: Alike<Dram>, { by }: Result['energy']): Spent[] {
  const others = members
    .flatMap((memory) => Object.keys(by[memory.name] ?? {}))
    .filter((action) => actionColours.every(({ name }) => name !== action))
    .map((name) => ({ name, colour: otherAction }));
  return [...actionColours, ...new Map(others.map((other) => [other.name, other])).values()]
    .map((action) => ({ ...action, joule: mean(members.map((memory) => by[memory.name]?.[action.name] ?? 0)) }))
    .filter(({ joule }) => joule > 0);
}

function energyBars(rows: readonly Alike<Dram>[], energy: Result['energy']): Markup | undefined {
  const spent = rows
    .map((row) => ({ row, actions: actionsOf(row, energy) }))
    .filter(({ actions }) => actions.length > 0);
  if (spent.length === 0) return undefined;
  const bars = spent.map(({ row: { name, members }, actions }): BarRow => {
    const joule = sum(actions, (action) => action.joule);
    const bits = 8 * mean(members.map(moved));
    const perBit = bits > 0 ? ` · ${ratio((joule / bits) * 1e12)} pJ/bit` : '';
    return {
      name,
      text: `${joules(joule)}${perBit}`,
      segments: actions.map((action) => ({
        colour: action.colour,
        value: action.joule,
        title: `${name} ${action.name}: ${joules(action.joule)}, ${percent(fraction(action.joule, joule))}`,
        text: `${action.name} ${share(fraction(action.joule, joule))}`,
      })),
    };
  });
  const named = [...actionColours, { name: 'other', colour: otherAction }].filter(({ colour }) =>
    spent.some(({ actions }) => actions.some((action) => action.colour === colour)),
  );
  return markup`<h3>${term('dramEnergy')}</h3>${barChart({
    label: 'DRAM energy by command',
    legend: named,
    axis: 'energy',
    unit: 'J',
    rows: bars,
  })}${caption(markup`After each bar: its sum, and the ${term('energyPerBit', 'energy per bit')} moved.`)}`;
}

function bankMap({ name, cores, members }: Alike<Dram>, length: number): Markup | undefined {
  const first = members[0]?.dram;
  if (first === undefined || !(length > 0) || !(first.bin > 0)) return undefined;
  const rows = first.banks.map((path, bank) => {
    const counts = meanOverTime(members.map(({ dram }) => dram.activity[bank] ?? []));
    const beside = mean(members.map(({ dram }) => dram.activations[bank] ?? 0));
    const served = count(sum(counts, (value) => value));
    return {
      path: path.split(', '),
      counts,
      beside,
      title: `${path}\n${served} accesses\n${count(beside)} activations`,
    };
  });
  if (!rows.some(({ counts }) => counts.some((value) => value > 0))) return undefined;
  const channels = first.channels > 1 ? `The ${first.channels} channels are added up.` : '';
  return markup`<h3>${term('bankActivity')} <span class="soft">of ${name}</span></h3>${heatChart({
    label: `Accesses of each bank of ${name} over time`,
    rows,
    counted: 'accesses',
    beside: 'activations',
    bin: first.bin,
    seconds: length,
  })}${channels === '' ? undefined : caption(channels)}${meansCaption([{ name, cores }])}`;
}

const traffic = ({ members }: Alike<Dram>): number => sum(members, moved);

/** What only DRAM has: the device and its policies, rows found open, energy by command, and what each bank did when. */
export function dramTables(result: Result): Markup | undefined {
  const rows = alike(
    result.memories.filter(isDram),
    ({ name }) => name,
    ({ dram }) => [dram.standard, dram.organisation, dram.speed, dram.channels, dram.banks.length, dram.bin],
  ).toSorted((a, b) => traffic(b) - traffic(a));
  if (rows.length === 0) return undefined;
  const shown = rows.slice(0, drawn);
  return section(
    'dram',
    rows.map(describe),
    countTable(rows),
    outcomeBars(shown),
    energyBars(shown, result.energy),
    rows.slice(0, mapped).map((row) => bankMap(row, result.seconds)),
  );
}
