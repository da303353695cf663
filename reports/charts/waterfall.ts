import type { Lane, Waterfall } from '../../models/waterfall.ts';
import { count } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { categorical } from '../palette.ts';
import { axisBelow, type Box, bar, chart, chartWidth, ellipsis, gridAcross, legend, linearAxis } from './frame.ts';

const rowHeight = 18;
const barHeight = 12;
const nameWidth = 148;
const top = 28;

/** What engines do for neighbouring tiles, an einsum on a line; each of the tiles has a colour, all others are pale. */
export function waterfallChart(waterfall: Waterfall): Markup {
  const { lanes, tiles, start, end, clock } = waterfall;
  const engines = [...new Set(lanes.map(titleOf))];
  const height = (lanes.length + engines.length) * rowHeight;
  const box: Box = { left: nameWidth, top, width: chartWidth - nameWidth - 12, height };
  const time = linearAxis(end - start, [box.left, box.left + box.width], 'cycles', 8, { divisor: 1, unit: 'cycles' });
  const spanBar = (lane: Lane, span: Lane['spans'][number], at: number): Markup | undefined => {
    const shown = tiles.findIndex(({ tile }) => tile === span.tile);
    const from = Math.max(start, span.start);
    const left = time.scale(from - start);
    const width = Math.max(0.8, time.scale(Math.min(end, span.end) - start) - left);
    const title = `${nameOf(lane)}, tile ${count(span.tile)}\ncycles ${count(span.start)} to ${count(span.end)}`;
    return bar({ left, top: at, width, height: barHeight }, `f-${categorical[shown] ?? 'idle'}`, title);
  };
  let y = top;
  const body = engines.map((engine) => {
    const heading = markup`<text class="strong" x="4" y="${y + 13}">${ellipsis(engine, nameWidth - 8)}</text>`;
    y += rowHeight;
    const rows = lanes
      .filter((lane) => titleOf(lane) === engine)
      .map((lane) => {
        const row = markup`<text x="${nameWidth - 8}" y="${y + 12}" text-anchor="end">${ellipsis(nameOf(lane), nameWidth - 24)}</text>${lane.spans.map((span) => spanBar(lane, span, y + (rowHeight - barHeight) / 2))}`;
        y += rowHeight;
        return row;
      });
    return markup`${heading}${rows}`;
  });
  const entries = tiles.map(({ at }, i) => ({ name: at.join(', ') || 'the only tile', colour: categorical[i]! }));
  return chart(top + height + 44, 'What engines do for neighbouring tiles', [
    legend([...entries, { name: 'other tiles', colour: 'idle' as const }], nameWidth, 4),
    gridAcross(box, time.ticks),
    body,
    axisBelow(box, time.ticks, `cycles of ${clock}`),
  ]);
}

const titleOf = ({ engine, kind }: Lane): string => (kind === 'dma' ? 'memory' : engine);
const nameOf = ({ name, kind, stores }: Lane): string =>
  kind === 'dma' ? `${stores ? 'store' : 'load'} ${name}` : name;
