/** What devices and cores copied and went over, and how full links were. */
import type { Result } from '../models/result.ts';
import { byteScale, inScale, percent, seconds } from './format.ts';

/** Directions of links that are named. */
const most = 4;

const rate = (bandwidth: number): string => {
  const scale = byteScale(bandwidth, 'B/s');
  return `${inScale(bandwidth, scale)} ${scale.unit}`;
};

/** Lines of the summary; none where nothing was streamed. */
export function streamLines({ streams, links }: Result): [label: string, text: string][] {
  const moved = (streams ?? []).map(({ step, by, bandwidth, seconds: length }): [string, string] => [
    step,
    `${by}   ${rate(bandwidth)}   ${seconds(length)}`,
  ]);
  const used = (links ?? [])
    .filter(({ payloadBytes }) => payloadBytes > 0)
    .toSorted((a, b) => b.utilization - a.utilization)
    .slice(0, most)
    .map(({ name, bandwidth, wireBandwidth, utilization }): [string, string] => [
      name,
      `${rate(bandwidth)} of data, ${percent(utilization)} of ${rate(wireBandwidth)} on the wire`,
    ]);
  return [...moved, ...used];
}
