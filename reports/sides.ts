/** What a model that was served did on which side of the device: the array, the vector unit, the memory, the links. */
import type { ServedOperator, ServingResult } from '../models/result.ts';
import type { Colour } from './palette.ts';

export const sides = [
  { on: 'array', name: 'array', colour: 'series0' },
  { on: 'pim', name: 'PIM', colour: 'series1' },
  { on: 'vector', name: 'vector', colour: 'series2' },
  { on: 'link', name: 'link', colour: 'series3' },
] as const satisfies readonly { on: string; name: string; colour: Colour }[];

export const sideColour = (on: string): Colour => sides.find((side) => side.on === on)?.colour ?? 'others';
export const sideName = (on: string): string => sides.find((side) => side.on === on)?.name ?? on;

/** Seconds in which its unit was at it: what it read and wrote included, waiting for the unit not. */
export const atWork = ({ seconds, waited }: ServedOperator): number => seconds - waited;

/** Sides in their order with their operators, those that took longest first, and the seconds of all of these. */
export function bySide({ operators }: ServingResult): { on: string; seconds: number; operators: ServedOperator[] }[] {
  return [...sides.map(({ on }) => on)].flatMap((on) => {
    const own = operators.filter((operator) => operator.on === on).toSorted((a, b) => atWork(b) - atWork(a));
    return own.length === 0 ? [] : [{ on, seconds: own.reduce((sum, one) => sum + atWork(one), 0), operators: own }];
  });
}

/** Mean length of an iteration: what a request waits for its next token where all decode. */
export function meanIteration({ iterations }: ServingResult): number {
  return iterations.reduce((sum, { seconds }) => sum + seconds, 0) / Math.max(1, iterations.length);
}
