/** A run on an RDU, in lines for a terminal. */
import type { Result } from '../models/result.ts';
import { count, fraction, seconds, share } from './format.ts';

type Line = [label: string, text: string];

/** Kernels and how long launching them took, and in the section that took longest the stage that was busiest. */
export function dataflowLines({ dataflow, seconds: length, clock }: Result): Line[] {
  if (dataflow === undefined) return [];
  const { kernels, launch, launchSeconds, intensity, sections } = dataflow;
  const launched = `${count(kernels)} launched by ${launch} in ${seconds(launchSeconds)} (${share(fraction(launchSeconds, length))})`;
  const longest = sections.reduce((most, one) => (one.repeat * one.cycles > most.repeat * most.cycles ? one : most));
  const stage = longest.stages.find(({ name }) => name === longest.bottleneck);
  const busy = `${longest.bottleneck} ${share(fraction(stage?.busy ?? 0, longest.cycles))} busy`;
  return [
    ['kernels', `${launched}   ${intensity.toPrecision(4)} FLOP per byte of memory`],
    [
      'section',
      `${longest.name}: ${count(longest.cycles)} cycles of ${clock}, ${count(longest.repeat)} times; ${busy}`,
    ],
  ];
}
