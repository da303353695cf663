/**
 * Streaming graphs: operators (operator.ts) joined by bounded channels, all walking the same rows. A row's tokens pass
 * through the whole graph before the next row is released to its sources; that changes no time, as channels are
 * order-free, but makes rows the moments at which states are compared (row-skip.ts).
 */
import { Channel } from '../kernel/channel.ts';
import { Clock } from '../kernel/clock.ts';
import { Kernel } from '../kernel/kernel.ts';
import { type OperatorSpec, type Pace, StreamOperator } from './operator.ts';
import { RowSkip, type StreamChannel } from './row-skip.ts';

export interface ChannelSpec {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Tokens that it holds, from when room is made for them to when they are taken; Infinity holds nobody back. */
  readonly depth: number;
  /** Tokens in a row, at the sender's end and at the receiver's, which must agree. */
  readonly given?: Pace;
  readonly taken?: Pace;
}

export interface StreamGraph {
  readonly rows: number;
  readonly operators: readonly OperatorSpec[];
  readonly channels: readonly ChannelSpec[];
}

export interface StreamResult {
  /** The cycle at which the last operator took its last token. */
  readonly cycles: number;
  /** Rows that were not run, as they repeat earlier ones exactly. */
  readonly skippedRows: number;
  /** Tokens that went through channels, skipped ones too. */
  readonly tokens: number;
}

/**
 * Runs a graph to its end; `everyRow` skips nothing, with the same result.
 * @throws DeadlockError when channels are too shallow; RangeError on a graph that makes no sense
 */
export function runStream({ rows, operators, channels }: StreamGraph, everyRow = false): StreamResult {
  const kernel = new Kernel();
  const clock = new Clock('stream', 1e9, 1e9);
  const byName = new Map(operators.map((spec) => [spec.name, new StreamOperator(kernel, clock, checked(spec), rows)]));
  if (byName.size < operators.length) throw new RangeError('two operators have the same name');
  const joined = channels.map((spec) => join(spec, byName));
  const skip = everyRow ? null : new RowSkip([...byName.values()], joined, rows);
  kernel.run(undefined, skip);
  const cycles = Math.max(...[...byName.values()].map(({ taken }) => taken));
  const tokens = joined.reduce((sum, { tokensPerRow }) => sum + tokensPerRow * rows, 0);
  return { cycles, skippedRows: skip?.skipped ?? 0, tokens };
}

function join(spec: ChannelSpec, operators: ReadonlyMap<string, StreamOperator>): StreamChannel {
  const { name, depth, given = 'element', taken = 'element' } = spec;
  const [sender, receiver] = [spec.from, spec.to].map((end) => operators.get(end));
  if (sender === undefined || receiver === undefined) throw new RangeError(`channel ${name} has an end that is none`);
  const tokensPerRow = given === 'row' ? 1 : sender.spec.elements;
  if (tokensPerRow !== (taken === 'row' ? 1 : receiver.spec.elements))
    throw new RangeError(`channel ${name} gives and takes different numbers of tokens in a row`);
  const isUnbounded = depth === Number.POSITIVE_INFINITY;
  // No more than a row is ever under way, so that the slots of an unbounded channel never run out for good.
  const channel = new Channel(name, sender, receiver, { capacity: isUnbounded ? tokensPerRow : depth });
  sender.write({ channel, pace: given, isUnbounded });
  receiver.read({ channel, pace: taken, isUnbounded });
  return { channel, sender, receiver, isUnbounded, tokensPerRow };
}

function checked(spec: OperatorSpec): OperatorSpec {
  for (const [what, count] of Object.entries({ ...spec, name: 1 })) {
    if (!Number.isSafeInteger(count) || count < 1)
      throw new RangeError(`operator ${spec.name}: ${what} of ${count}, not a whole number from 1`);
  }
  return spec;
}
