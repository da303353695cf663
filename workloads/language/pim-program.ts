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
   * Fields and how many values each has, that of the fastest first; after the last address comes the first again. A field
   * is a level from the channel to the bank, `row`, `column`, or the `entry` of a buffer or the `sum` that is meant.
   */
  readonly order: readonly (readonly [field: string, count: number])[];
  /** Fields that count up beside those of `order`, from 0 at the first command of the step. */
  readonly beside?: PimCommands['order'];
  /** Where the first address is: values of fields, to which those of `order` are added. */
  readonly at?: { readonly [field: string]: number };
  readonly first?: number;
  readonly step?: number;
  readonly count: number;
  readonly of?: number;
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
