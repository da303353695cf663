import type { Colour } from './palette.ts';

/** What an engine can be doing in a cycle, in the order in which reports stack it. */
export const accounts = [
  { key: 'busy', name: 'busy', colour: 'busy' },
  { key: 'waitInput', name: 'waits for input', colour: 'input' },
  { key: 'waitOutput', name: 'waits for output', colour: 'output' },
  { key: 'waitMemory', name: 'waits for memory', colour: 'memory' },
  { key: 'idle', name: 'idle', colour: 'idle' },
] as const satisfies readonly { key: string; name: string; colour: Colour }[];

export type Account = (typeof accounts)[number]['key'];
