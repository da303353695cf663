/**
 * What is sent to memories that compute: commands of a PIM dialect as loops that are expanded one command at a time, so
 * that a program is as short for a million commands as for ten.
 */
export type PimProgram = readonly PimStep[];

export type PimStep = PimCommands | PimRepeat | PimBarrier;

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
