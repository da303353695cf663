import type { Result } from '../models/result.ts';
import { accounts } from './accounts.ts';
import { legend } from './charts/frame.ts';
import { utilizationHeight, utilizationLeft, utilizationPlots } from './charts/utilization.ts';
import { strip, timedEngines } from './engine-strips.ts';
import { bandwidth, count, percent, seconds } from './format.ts';
import { Markup, markup } from './markup.ts';
import { chartRules, palette } from './palette.ts';
import { mainMemory } from './traffic.ts';

const engineLimit = 3;
const width = 900;
/** Charts are drawn 880 wide; the rest is margin. */
const margin = 10;

/**
 * One picture of a run, complete in itself: what it is, how long it took, and what its busiest engines did over time. Its colours
 * can be read on a white page and on a near-black one, since an image in a README is not told which it is on.
 */
export function pictureSvg(result: Result): string {
  const rows = timedEngines(result.engines, result.timelines.engines)
    .map(strip)
    .toSorted((a, b) => b.busy - a.busy)
    .slice(0, engineLimit);
  const memory = mainMemory(result);
  const facts = [
    `${count(result.cycles)} cycles of ${result.clock}`,
    seconds(result.seconds),
    `bound by ${result.bottleneck.kind === 'dependencies' ? 'dependencies' : `${result.bottleneck.part} (${percent(result.bottleneck.utilization)} busy)`}`,
    ...(memory === undefined ? [] : [`${memory.name} ${bandwidth(memory.bandwidth, memory.peakBandwidth)}`]),
  ];
  const title = `${result.workload.name} on ${result.arch.name}`;
  const top = 76;
  const height = top + utilizationHeight(rows.length) + margin;
  const picture = markup`<svg class="chart" xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
<style>
${new Markup(chartRules((name) => palette[name][2]))}
.chart text.title { font-size: 17px; font-weight: 600; }
</style>
<g transform="translate(${margin} 0)"><text class="title" x="0" y="20">${title}</text><text class="soft" x="0" y="40">${facts.join('  ·  ')}</text>${legend(accounts, utilizationLeft(rows), 54)}${utilizationPlots(rows, result.seconds, top)}</g>
</svg>
`;
  return picture.text;
}
