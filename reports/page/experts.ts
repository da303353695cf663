import type { ExpertsResult, ExpertTier, Result } from '../../models/result.ts';
import { barChart } from '../charts/bars.ts';
import { stretchChart } from '../charts/stretches.ts';
import { bytes, count, fraction, percent, ratio, seconds } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import type { Colour } from '../palette.ts';
import { type Column, caption, longTable, section, sum } from './figure.ts';

/** Batches with a bar of their own. */
const batchesDrawn = 400;

const kinds = [
  { key: 'router', name: 'router', colour: 'series2' },
  { key: 'switching', name: 'switching', colour: 'series5' },
  { key: 'execution', name: 'experts', colour: 'series0' },
] as const satisfies readonly { key: keyof ExpertsResult['seconds']; name: string; colour: Colour }[];

/** Where the time of a batch went. */
export function expertLatency({ experts: result }: Result): Markup | undefined {
  if (result === undefined) return undefined;
  const { experts, model, router, devices, prompt, output, routing, replacement, hits, misses, batches, rooms } =
    result;
  const total = sum(kinds, ({ key }) => result.seconds[key]);
  const each = (all: number) => fraction(all, batches.length);
  const near = result.tiers[0]?.name ?? '';
  return section(
    'experts',
    caption(
      `${count(experts)} experts, each ${model}, behind ${router}, shared by ${count(devices)} devices. Prompts of ${count(prompt)} tokens, answers of ${count(output)}; experts by ${routing}, ${replacement} in ${near}, which has room for ${count(rooms)}. Of ${count(hits + misses)} requests ${percent(fraction(hits, hits + misses))} found their expert there; ${bytes(result.bytesCopied)} of experts were copied on each device.`,
    ),
    barChart({
      label: 'Time of a batch',
      legend: kinds,
      axis: 'of a batch',
      unit: 's',
      rows: kinds.map(({ key, name, colour }) => ({
        name,
        text: `${seconds(each(result.seconds[key]))} (${percent(fraction(result.seconds[key], total))})`,
        segments: [
          {
            colour,
            value: each(result.seconds[key]),
            title: `${name}: ${seconds(each(result.seconds[key]))} of a batch`,
          },
        ],
      })),
    }),
  );
}

type Batch = ExpertsResult['batches'][number];

/** Neighbours put together so that no more than can be told apart are drawn: their mean. */
function drawnBatches(batches: readonly Batch[]): (Batch & { first: number; last: number })[] {
  const each = Math.ceil(batches.length / batchesDrawn);
  return Array.from({ length: Math.ceil(batches.length / each) }, (_, i) => {
    const own = batches.slice(i * each, (i + 1) * each);
    const mean = (key: Exclude<keyof Batch, 'start'>) => sum(own, (one) => one[key]) / own.length;
    return {
      first: i * each,
      last: i * each + own.length - 1,
      start: own[0]?.start ?? 0,
      requests: mean('requests'),
      router: mean('router'),
      switching: mean('switching'),
      execution: mean('execution'),
      misses: mean('misses'),
    };
  });
}

/** Batch after batch. */
export function expertBatches({ experts, seconds: length }: Result): Markup | undefined {
  if (experts === undefined || experts.batches.length < 2) return undefined;
  const shown = drawnBatches(experts.batches);
  const named = ({ first, last }: { first: number; last: number }) =>
    first === last ? `batch ${count(first)}` : `mean of batches ${count(first)} to ${count(last)}`;
  return section(
    'expertBatches',
    stretchChart({
      label: 'Time of each batch, and experts that were missing, over time',
      seconds: length,
      strips: [
        { name: 'each takes', unit: 's', kinds, values: kinds.map(({ key }) => shown.map((one) => one[key])) },
        {
          name: 'missing',
          unit: '',
          kinds: [{ name: 'requests whose expert was missing', colour: 'series5' }],
          values: [shown.map(({ misses }) => misses)],
        },
      ],
      stretches: shown.map((one, i) => ({
        start: one.start,
        end: shown[i + 1]?.start ?? length,
        about: [
          `${named(one)} at ${seconds(one.start)}`,
          ...kinds.map(({ key, name }) => `${name} ${seconds(one[key])}`),
          `${ratio(one.misses)} of ${ratio(one.requests)} requests missed`,
        ].join('\n'),
      })),
    }),
  );
}

/** A tier in each section: experts, what else lives, and room that is left, as shares of what it holds. */
function tierRows(tier: ExpertTier, sections: readonly string[]) {
  return tier.live.map((live, index) => {
    const others = live - tier.expertBytes;
    const part = (name: string, colour: Colour, value: number) => ({
      colour,
      value: fraction(value, tier.capacity),
      title: `${tier.name} in ${sections[index]}: ${name} ${bytes(value)}`,
    });
    return {
      name: `${tier.name}, ${sections[index]}`,
      text: `${bytes(live)} of ${bytes(tier.capacity)}`,
      segments: [
        part(`${count(tier.experts)} experts`, 'series0', tier.expertBytes),
        part('other tensors', 'series1', others),
        part('room', 'idle', tier.capacity - live),
      ],
    };
  });
}

interface PlacedRow {
  readonly tier: string;
  readonly tensor: ExpertTier['tensors'][number];
}

/** What lies where, and when. */
export function expertTiers({ experts }: Result): Markup | undefined {
  if (experts === undefined) return undefined;
  const { tiers, sections } = experts;
  const rows = tiers.flatMap(({ name, tensors }) => tensors.map((tensor): PlacedRow => ({ tier: name, tensor })));
  const columns: Column<PlacedRow>[] = [
    { term: 'tierTensor', cell: ({ tensor }) => tensor.name },
    { term: 'tierOf', cell: ({ tier }) => tier },
    { term: 'tierOffset', numeric: true, cell: ({ tensor }) => bytes(tensor.offset) },
    { term: 'tierBytes', numeric: true, cell: ({ tensor }) => bytes(tensor.bytes) },
    {
      term: 'tierLife',
      cell: ({ tensor: { first, last } }) =>
        first === last ? sections[first] : markup`${sections[first]} to ${sections[last]}`,
    },
  ];
  return section(
    'expertTiers',
    barChart({
      label: 'What each tier holds in each section',
      legend: [
        { name: 'experts', colour: 'series0' },
        { name: 'other tensors', colour: 'series1' },
        { name: 'room', colour: 'idle' },
      ],
      axis: 'of the tier',
      unit: '%',
      scale: { divisor: 0.01, unit: '%' },
      rows: tiers.flatMap((tier) => tierRows(tier, sections)),
    }),
    longTable(columns, rows, rows, 'tensors'),
  );
}
