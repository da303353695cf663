/** A placed pipeline as plain numbers: stages, the channels between them, and what several stages share. */

/**
 * A stage works on `firings` tiles in turn. It takes the tokens that it needs, waits for room for its results, is busy for
 * `interval` cycles, and at least until the server, if it has one, has served its bytes, then gives its results and the room
 * of what it has taken.
 */
export interface StageSpec {
  readonly name: string;
  readonly firings: number;
  /** Cycles from the start of a tile until the next may start. */
  readonly interval: number;
  /** Index of the server that moves its bytes; -1: none does. */
  readonly server: number;
  /** Bytes that the server moves in each firing, and most bytes of a request. */
  readonly bytes: number;
  readonly request: number;
  /** Cycles from when the server has moved the last byte of a tile until the tile is there. */
  readonly latency: number;
}

/**
 * Tokens between two stages. `tokens` is the sender's firings, one after each, or 1 after the last one. `each`: the
 * receiver takes one for each firing and gives its room back after it. `keep`: it gives all back after its last firing.
 * `all`: it also needs all of them for its first firing.
 */
export interface ChannelSpec {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly tokens: number;
  readonly use: 'each' | 'keep' | 'all';
  readonly capacity: number;
  /** Cycles until a token can be seen, and until room is seen free; at least 1. */
  readonly send: number;
  readonly reply: number;
}

/**
 * Serves one request at a time, of those that wait the one of the stage that comes first in the list. Rates are bytes
 * per cycle as a fraction.
 */
export interface ServerSpec {
  readonly name: string;
  readonly bytes: number;
  readonly cycles: number;
  /** Cycles from the last byte of a request until it is there, and requests that may be on their way. */
  readonly latency: number;
  readonly window: number;
}

export interface PipelineSpec {
  readonly stages: readonly StageSpec[];
  readonly channels: readonly ChannelSpec[];
  readonly servers: readonly ServerSpec[];
}

/** Cycles of a stage; they add up to the length of the run. */
export interface StageAccount {
  readonly busy: number;
  readonly waitInput: number;
  readonly waitOutput: number;
  readonly waitMemory: number;
  readonly idle: number;
  /** Of its first tile and its last one. */
  readonly start: number;
  readonly end: number;
}

export interface PipelineRun {
  readonly cycles: number;
  readonly stages: readonly StageAccount[];
  /** By channel: cycles that its receiver waited for tokens, and its sender for room. */
  readonly waits: readonly { readonly token: number; readonly room: number }[];
  /** By server: bytes moved. */
  readonly moved: readonly number[];
  /** Tokens that went through channels. */
  readonly hops: number;
}
