import type { Waterfall } from '../models/waterfall.ts';
import { waterfallChart } from './charts/waterfall.ts';
import { count } from './format.ts';
import { type Markup, markup } from './markup.ts';
import { pageOf } from './page/page.ts';
import { style } from './page/style.ts';

/** One self-contained page with the waterfalls of a mapping's sections. `about` says what is laid on what. */
export function waterfallPage(mapping: string, about: string, waterfalls: readonly Waterfall[]): string {
  return pageOf({
    title: mapping,
    style,
    body: markup`<header><h1>${mapping}</h1><p>${about}</p></header>
${waterfalls.map((waterfall) => section(waterfall))}`,
  });
}

function section(waterfall: Waterfall): Markup {
  const names = [...new Set(waterfall.lanes.filter(({ kind }) => kind !== 'dma').map(({ name }) => name))];
  const { tiles, iterations, inFlight } = waterfall;
  const text = `${tiles.length === 1 ? 'One tile' : `${tiles.length} tiles beside each other`} of ${count(iterations)}; at most ${count(inFlight)} at a time are begun and not finished.`;
  return markup`<section><h2>${names.join(' ')}</h2><p>${text}</p>${waterfallChart(waterfall)}</section>
`;
}
