/** Experts shared out to two sides that work at the same time: which ones the array takes from the memory. */
import type { Arch, ArrayPart } from '../../arch/language/arch.ts';
import { type DramDevice, tickPs } from '../../arch/language/dram/device.ts';
import { peakOperations } from '../../arch/language/parts.ts';
import { type Experts, flops, weightBytes } from '../../workloads/llm/operator.ts';
import { picosecondsPerSecond } from '../kernel/clock.ts';

/** What a side can do at best. */
export interface SidePeak {
  /** Bytes of weights, and operations (a multiply-add as two), in a second. */
  readonly bytesPerSecond: number;
  readonly flopsPerSecond: number;
  /** Tokens that weights which are read once serve. */
  readonly tokens: number;
}

/** Tokens of each expert on either side; an expert is on one of them, its tokens on the other are 0. */
export interface ExpertSplit {
  readonly array: readonly number[];
  readonly pim: readonly number[];
}

/**
 * All experts begin in the memory. The one with most tokens goes to the array as long as the longer of both sides' times gets
 * shorter by it (Duplex, MICRO 2024, expert co-processing). Of equal ones the first goes first.
 */
export function splitExperts(
  operator: Experts,
  peaks: { readonly array: SidePeak; readonly pim: SidePeak },
): ExpertSplit {
  const { tokens } = operator;
  const order = tokens.flatMap((count, expert) => (count > 0 ? [expert] : [])).sort((a, b) => tokens[b]! - tokens[a]!);
  const time = (side: SidePeak, expert: number): number => expertSeconds(operator, tokens[expert]!, side);
  let array = 0;
  let pim = order.reduce((sum, expert) => sum + time(peaks.pim, expert), 0);
  const moved = new Set<number>();
  for (const expert of order) {
    const [longer, rest] = [array + time(peaks.array, expert), pim - time(peaks.pim, expert)];
    if (Math.max(longer, rest) >= Math.max(array, pim)) break;
    [array, pim] = [longer, rest];
    moved.add(expert);
  }
  return {
    array: tokens.map((count, expert) => (moved.has(expert) ? count : 0)),
    pim: tokens.map((count, expert) => (moved.has(expert) ? 0 : count)),
  };
}

/** Seconds that the product of an expert takes at best: to read its weights as often as it takes, or to compute. */
function expertSeconds(operator: Experts, count: number, side: SidePeak): number {
  const alone = { ...operator, tokens: [count] };
  const reads = Math.max(1, Math.ceil(count / side.tokens)) * weightBytes(alone);
  return Math.max(reads / side.bytesPerSecond, flops(alone) / side.flopsPerSecond);
}

/** Of the array of a device with all its copies, at the memory's bandwidth. */
export function arrayPeak(arch: Arch, array: ArrayPart, bytesPerSecond: number): SidePeak {
  const operations = peakOperations(arch, array).get('mac') ?? 0;
  return { bytesPerSecond, flopsPerSecond: 2 * operations, tokens: Number.POSITIVE_INFINITY };
}

/** Of a memory's first command that multiplies, in all its channels. What its units compute follows from what they read. */
export function pimPeak(device: DramDevice, channels: number): SidePeak {
  const { commands, constraints, levels, counts, burstBytes, units } = device;
  const command = commands.findIndex(({ pim }) => pim?.kind === 'multiplies');
  const { level = 0, each = [], ticks = 1, most = 1 } = commands[command] ?? {};
  const columns = levels.reduce((all, _, at) => (at > level || each.includes(at) ? all * counts[at]! : all), most);
  const spacings = constraints.filter(
    ({ after, before, window, sibling }) =>
      window === 1 && !sibling && after.includes(command) && before.includes(command),
  );
  const spacing =
    Math.max(ticks, ...spacings.map(({ latency, byMultiplications }) => byMultiplications?.[most - 1] ?? latency)) *
    tickPs(device);
  return {
    bytesPerSecond: (channels * columns * burstBytes * picosecondsPerSecond) / spacing,
    flopsPerSecond: Number.POSITIVE_INFINITY,
    tokens: units?.vectors ?? 1,
  };
}
