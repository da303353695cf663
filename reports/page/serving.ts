import type { Result, ServedOperator, ServingResult, Spread } from '../../models/result.ts';
import { barChart } from '../charts/bars.ts';
import { type LaneSpan, laneChart } from '../charts/lanes.ts';
import { type StretchStrip, stretchChart } from '../charts/stretches.ts';
import { bytes, count, fraction, missing, operations, percent, ratio, seconds, timeWithin } from '../format.ts';
import { type Markup, markup, type Part } from '../markup.ts';
import { type Colour, categorical } from '../palette.ts';
import { atWork, bySide, meanIteration, sideColour, sideName, sides } from '../sides.ts';
import { type Column, caption, longTable, section, sum, table, term } from './figure.ts';

/** Operators with a bar of their own, and iterations with one; the others of these are put together. */
const operatorsDrawn = 16;
const iterationsDrawn = 400;
/** Operators of a layer that can be told from one another. */
const runsDrawn = 400;

const several = (number: number, one: string): string => `${count(number)} ${one}${number === 1 ? '' : 's'}`;

function facts({ serving, energy }: Result): Markup | undefined {
  if (serving === undefined) return undefined;
  const { model, phase, layers, modelLayers, tensor, pipeline, data, subBatches, tokens } = serving;
  const others = [
    [tensor, 'that share each layer'],
    [pipeline, 'in a pipeline'],
    [data, 'with requests of their own'],
  ] as const;
  const devices = others.filter(([number]) => number > 1).map(([number, what]) => `${number} ${what}`);
  const perToken = fraction(energy.total, tokens);
  return caption(
    markup`${model} in ${phase}: ${layers === modelLayers ? `all ${several(layers, 'layer')}` : `${layers} of ${several(modelLayers, 'layer')}`}${subBatches > 1 ? markup`, in ${subBatches} ${term('subBatches')}` : ''}. ${
      devices.length > 0 ? markup`${term('devices')} ${devices.join(', ')}; what follows is of one. ` : ''
    }${term('weights')} ${bytes(serving.weightBytes)}, ${term('cache')} at most ${bytes(serving.cacheBytes)}.${
      perToken > 0 ? ` Energy of the device ${operations(perToken).replace('op', 'J')} per token.` : ''
    }`,
  );
}

function operatorBars(operators: readonly ServedOperator[], length: number): Markup {
  const shown = operators.slice(0, operatorsDrawn);
  const segments = ({ name, on, seconds: all, waited }: ServedOperator) => [
    {
      colour: sideColour(on),
      value: fraction(all - waited, length),
      title: `${name} on ${sideName(on)}: ${seconds(all - waited)}, ${percent(fraction(all - waited, length))} of the run`,
    },
    {
      colour: 'idle' as const,
      value: fraction(waited, length),
      title: `${name} waited for ${sideName(on)}: ${seconds(waited)}, ${percent(fraction(waited, length))} of the run`,
    },
  ];
  return barChart({
    label: 'Time of each operator',
    legend: [
      ...sides.filter(({ on }) => shown.some((operator) => operator.on === on)),
      ...(shown.some(({ waited }) => waited > 0) ? [{ name: 'waits for it', colour: 'idle' as const }] : []),
    ],
    axis: 'of the run',
    unit: '%',
    scale: { divisor: 0.01, unit: '%' },
    rows: shown.map((operator) => ({
      name: operator.name,
      text: percent(fraction(atWork(operator), length)),
      segments: segments(operator),
    })),
  });
}

function operatorTable(operators: readonly ServedOperator[], length: number): Markup {
  const perRun = (operator: ServedOperator) => fraction(operator.seconds, operator.runs);
  const longest = Math.max(0, ...operators.map(perRun));
  const ofRun = (value: number) => percent(fraction(value, length));
  const columns: Column<ServedOperator>[] = [
    { term: 'servedOperator', cell: ({ name }) => name },
    { term: 'side', cell: ({ on }) => sideName(on) },
    { term: 'runs', numeric: true, cell: ({ runs }) => count(runs) },
    { term: 'perRun', numeric: true, cell: (operator) => timeWithin(perRun(operator), longest) },
    {
      term: 'flopPerByte',
      numeric: true,
      cell: ({ flops, bytes: moved }) => (flops > 0 && moved > 0 ? ratio(flops / moved) : missing),
    },
    {
      term: 'shareOfTime',
      numeric: true,
      cell: (operator) => ofRun(atWork(operator)),
      rest: (rows) => ofRun(sum(rows, atWork)),
    },
    {
      term: 'waitedForUnit',
      numeric: true,
      cell: ({ waited }) => ofRun(waited),
      rest: (rows) => ofRun(sum(rows, ({ waited }) => waited)),
    },
  ];
  return longTable(columns, operators, operators, 'operators');
}

/** Which model, and where its time went. */
export function servedOperators(result: Result): Markup | undefined {
  const { serving } = result;
  if (serving === undefined) return undefined;
  const operators = serving.operators.toSorted((a, b) => atWork(b) - atWork(a));
  const together = bySide(serving).map(
    ({ on, seconds: all }) => `${sideName(on)} ${percent(fraction(all, result.seconds))}`,
  );
  return section(
    'serving',
    facts(result),
    operatorBars(operators, result.seconds),
    caption(
      `By side: ${together.join(', ')} of the run. Sides work at the same time where there are several sub-batches, and in attention.`,
    ),
    operatorTable(operators, result.seconds),
  );
}

type Iteration = ServingResult['iterations'][number];

/** Neighbours put together so that no more than can be told apart are drawn: their mean. */
function drawnIterations(iterations: readonly Iteration[]): (Iteration & { first: number; last: number })[] {
  const each = Math.ceil(iterations.length / iterationsDrawn);
  return Array.from({ length: Math.ceil(iterations.length / each) }, (_, i) => {
    const own = iterations.slice(i * each, (i + 1) * each);
    const mean = (of: (one: Iteration) => number) => sum(own, of) / own.length;
    return {
      first: i * each,
      last: i * each + own.length - 1,
      start: own[0]!.start,
      seconds: mean((one) => one.seconds),
      prefill: mean((one) => one.prefill),
      decode: mean((one) => one.decode),
      waiting: mean(({ waiting = 0 }) => waiting),
    };
  });
}

/** Of a run with several iterations: who was in each, and how long it took. */
export function iterationsOverTime({ serving, seconds: length }: Result): Markup | undefined {
  const iterations = serving?.iterations ?? [];
  const [first] = iterations;
  if (first === undefined || iterations.length < 2) return undefined;
  const shown = drawnIterations(iterations);
  const of = (name: string, colour: Colour, key: 'prefill' | 'decode' | 'waiting') => ({
    name,
    colour,
    values: shown.map((one) => one[key] ?? 0),
  });
  const batch = [
    of('decode', 'series0', 'decode'),
    of('prefill', 'series1', 'prefill'),
    ...(first.waiting === undefined ? [] : [of('wait for room', 'idle', 'waiting')]),
  ].filter(({ values }) => values.some((value) => value > 0));
  const strips: StretchStrip[] = [
    { name: 'requests', unit: '', kinds: batch, values: batch.map(({ values }) => values) },
    {
      name: 'each takes',
      unit: 's',
      kinds: [{ name: 'length of an iteration', colour: 'series2' }],
      values: [shown.map((one) => one.seconds)],
    },
  ];
  const named = (from: number, to: number) =>
    from === to ? `iteration ${count(from)}` : `mean of iterations ${count(from)} to ${count(to)}`;
  return section(
    'iterations',
    stretchChart({
      label: 'Requests in each iteration, and its length, over time',
      seconds: length,
      strips,
      stretches: shown.map((one, i) => ({
        start: one.start,
        end: one.first === one.last ? one.start + one.seconds : (shown[i + 1]?.start ?? length),
        about: [
          `${named(one.first, one.last)} at ${seconds(one.start)}: ${seconds(one.seconds)}`,
          ...batch.map(({ name, values }) => `${name} ${ratio(values[i]!)}`),
        ].join('\n'),
      })),
    }),
  );
}

const spreads = [
  { key: 'p50', label: 'p50', colour: 'series0' },
  { key: 'p90', label: 'p90', colour: 'series4' },
  { key: 'p99', label: 'p99', colour: 'span' },
  { key: 'most', label: 'most', colour: 'idle' },
] as const satisfies readonly { key: keyof Spread; label: string; colour: Colour }[];

/** How requests that came and went fared. */
export function servedRequests({ serving }: Result): Markup | undefined {
  const requests = serving?.requests;
  if (requests === undefined) return undefined;
  const rows = [
    { name: term('queue'), plain: 'queue', spread: requests.queue },
    { name: term('firstToken'), plain: 'first token', spread: requests.firstToken },
    { name: term('betweenTokens'), plain: 'between tokens', spread: requests.betweenTokens },
    { name: term('endToEnd'), plain: 'end to end', spread: requests.endToEnd },
  ];
  const columns: Column<(typeof rows)[number]>[] = [
    { term: 'requestTime', cell: ({ name }) => name },
    { term: 'meanOfRequests', numeric: true, cell: ({ spread }) => seconds(spread.mean) },
    ...spreads.map(
      ({ key, label }): Column<(typeof rows)[number]> => ({
        term: 'percentile',
        label,
        numeric: true,
        cell: ({ spread }) => seconds(spread[key]),
      }),
    ),
  ];
  return section(
    'requests',
    caption(`${several(requests.count, 'request')}, all of which were answered.`),
    barChart({
      label: 'Times of requests',
      legend: spreads.map(({ label, colour }) => ({ name: label === 'most' ? 'the longest' : label, colour })),
      axis: 'time',
      unit: 's',
      rows: rows.map(({ plain, spread }) => ({
        name: plain,
        text: seconds(spread.most),
        segments: spreads.map(({ key, label, colour }, i) => ({
          colour,
          value: spread[key] - (i === 0 ? 0 : spread[spreads[i - 1]!.key]),
          title: `${plain}, ${label}: ${seconds(spread[key])}`,
        })),
      })),
    }),
    table(columns, rows),
  );
}

/** One layer as it ran, side by side. */
export function oneLayer({ serving }: Result): Markup | undefined {
  const runs = serving?.firstLayer ?? [];
  if (runs.length === 0 || runs.length > runsDrawn) return undefined;
  const subBatches = [...new Set(runs.map(({ subBatch }) => subBatch))].toSorted((a, b) => a - b);
  const parts = subBatches.length > 1;
  const colourOf = (subBatch: number, on: string): Colour =>
    parts ? (categorical[subBatch % categorical.length] ?? 'others') : sideColour(on);
  const lanes = sides
    .map(({ on, name }) => ({
      name,
      spans: runs
        .filter((run) => run.on === on)
        .map(
          (run): LaneSpan => ({
            ...run,
            colour: colourOf(run.subBatch, on),
            about: parts ? `${name}, sub-batch ${run.subBatch + 1}` : name,
          }),
        ),
    }))
    .filter(({ spans }) => spans.length > 0);
  return section(
    'oneLayer',
    laneChart({
      label: 'Operators of one layer by side over time',
      legend: parts ? subBatches.map((one) => ({ name: `sub-batch ${one + 1}`, colour: colourOf(one, '') })) : [],
      lanes,
    }),
  );
}

/** What the first card of a service says. */
export function servingFigures(serving: ServingResult): { value: string; more: Part[] } {
  const { tokens, tokensPerSecond, iterations, phase, layers, modelLayers } = serving;
  const each = seconds(meanIteration(serving));
  const own = serving.requests?.betweenTokens.mean;
  const between = own === undefined ? each : seconds(own);
  return {
    value: `${count(tokensPerSecond)} /s`,
    more: [
      phase === 'prefill' ? undefined : markup`${between} ${term('betweenTokens', 'between tokens')}`,
      `${several(tokens, 'token')} in ${several(iterations.length, 'iteration')} of ${each}`,
      layers < modelLayers ? `through ${layers} of ${several(modelLayers, 'layer')} only` : undefined,
    ].filter((line) => line !== undefined),
  };
}
