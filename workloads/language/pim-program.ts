import { InputError } from '../../arch/language/diagnostics.ts';

/**
 * What is sent to memories that compute: commands of a PIM dialect as loops that are expanded one command at a time, so
 * that a program is as short for a million commands as for ten.
 */
export type PimProgram = readonly PimStep[];

export type PimStep = PimCommands | PimRepeat | PimBarrier | PimInstruction | PimSync;

/**
 * A command again and again, at addresses that count up. Command `i` is at the `i`-th address of `order`; sent are those
 * from `first + step * n` on, `count` of them, in iteration `n` of the innermost `repeat` around, but none before 0 and
 * none from `of` on.
 */
export interface PimCommands {
  readonly kind: 'commands';
  readonly command: string;
  /**
   * Fields, how many values each has, and by how much they differ (1), that of the fastest first; after the last address
   * comes the first again. A field is a level from the channel to the bank, `row`, `column`, or the `entry` of a buffer or
   * the `sum` that is meant.
   */
  readonly order: readonly (readonly [field: string, count: number, stride?: number])[];
  /** Fields that count up beside those of `order`, from 0 at the first command of the step. */
  readonly beside?: PimCommands['order'];
  /** Where the first address is: values of fields, to which those of `order` are added. */
  readonly at?: { readonly [field: string]: number };
  readonly first?: number;
  readonly step?: number;
  readonly count: number;
  readonly of?: number;
  /** Columns that each command multiplies, or that the work has which it begins; 1 by default. */
  readonly multiplications?: number;
  /** Results of the work that it begins; 1 by default. */
  readonly results?: number;
}

export interface PimRepeat {
  readonly kind: 'repeat';
  readonly times: number;
  readonly steps: PimProgram;
}

/** Column commands behind it wait, in `channels` channels from `first` on, until all before it have been sent. */
export interface PimBarrier {
  readonly kind: 'barrier';
  readonly first?: number;
  readonly channels: number;
}

/**
 * What a host decodes in a cycle of its own: each of some channels gets the commands of `steps`, independently of the others,
 * as its queue has room. The next instruction is decoded after the last of them has found room, and when the host `waits`,
 * after their data have come. The fields of its commands are without the channel.
 */
export interface PimInstruction {
  readonly kind: 'instruction';
  readonly channels: readonly number[];
  readonly steps: PimProgram;
  readonly waits?: boolean;
}

/** An instruction to all channels, done when all before it is: data have come and are written. The host waits for it. */
export interface PimSync {
  readonly kind: 'sync';
}

/** `commands` in short, for programs written by hand. */
export function commands(
  command: string,
  order: PimCommands['order'],
  rest: Omit<PimCommands, 'kind' | 'command' | 'order'>,
) {
  return { kind: 'commands', command, order, ...rest } as const;
}

export function repeat(times: number, ...steps: PimStep[]): PimRepeat {
  return { kind: 'repeat', times, steps };
}

export function barrier(channels: number): PimBarrier {
  return { kind: 'barrier', channels };
}

/** Whether all channels get the same of a program: whole rounds of them in every step. */
export function isEven(program: PimProgram, channels: number): boolean {
  return program.every((step) => {
    if (step.kind === 'repeat') return isEven(step.steps, channels);
    if (step.kind === 'barrier') return (step.first ?? 0) === 0 && step.channels === channels;
    if (step.kind !== 'commands') return false;
    const [[field, width] = ['', 0]] = step.order;
    const { first = 0, count, of = 0, at = {} } = step;
    const isWhole = [first, step.step ?? 0, count, of].every((number) => number % channels === 0);
    return field === 'channel' && width === channels && (at.channel ?? 0) === 0 && isWhole;
  });
}

/**
 * What one channel gets of a program whose commands go from channel to channel, the fastest of all fields.
 * @throws InputError when the channel is not the first field of a step's order
 */
export function ofChannel(program: PimProgram, channel: number): PimProgram {
  return program.flatMap((step): PimStep[] => {
    if (step.kind === 'repeat') return [{ ...step, steps: ofChannel(step.steps, channel) }];
    if (step.kind === 'instruction' || step.kind === 'sync') {
      throw new InputError({ message: 'what a host decodes is not handed out channel by channel' });
    }
    if (step.kind === 'barrier') {
      const first = step.first ?? 0;
      return channel >= first && channel < first + step.channels ? [barrier(1)] : [];
    }
    return commandsOfChannel(step, channel);
  });
}

function commandsOfChannel(step: PimCommands, channel: number): PimCommands[] {
  const { channel: start = 0, ...at } = step.at ?? {};
  const [[field, width] = ['', 1], ...inner] = step.order;
  const isSpread = field === 'channel';
  const [index, channels, order] = isSpread ? [channel - start, width, inner] : [channel - start, 1, step.order];
  const isMixed = order.some(([name]) => name === 'channel') || step.beside?.some(([name]) => name === 'channel');
  if (isMixed || (channels > 1 && (step.beside || (step.step ?? 0) % channels !== 0))) {
    const hint = 'begin its order with the channel, and count whole rounds of the channels in its steps';
    throw new InputError({ message: `${step.command} cannot be handed out channel by channel`, hint });
  }
  if (index < 0 || index >= channels) return [];
  const share = (number: number): number => Math.ceil((number - index) / channels);
  const first = share(step.first ?? 0);
  const own = {
    ...step,
    at,
    order,
    first,
    step: (step.step ?? 0) / channels,
    count: share((step.first ?? 0) + step.count) - first,
    ...(step.of !== undefined && { of: share(step.of) }),
  };
  return own.count > 0 ? [own] : [];
}
