import type { Waterfall } from '../models/waterfall.ts';
import { waterfallChart } from './charts/waterfall.ts';
import { count } from './format.ts';
import { Markup, markup } from './markup.ts';
import { style } from './page/style.ts';

/** One self-contained page with the waterfalls of a mapping's sections. `about` says what is laid on what. */
export function waterfallPage(mapping: string, about: string, waterfalls: readonly Waterfall[]): string {
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${mapping}</title>
<style>
${new Markup(style)}
</style>
</head>
<body>
<main>
<header><h1>${mapping}</h1><p>${about}</p></header>
${waterfalls.map((waterfall) => section(waterfall))}</main>
</body>
</html>
`;
  return page.text;
}

function section(waterfall: Waterfall): Markup {
  const names = [...new Set(waterfall.lanes.filter(({ kind }) => kind !== 'dma').map(({ name }) => name))];
  const { tiles, iterations, inFlight } = waterfall;
  const text = `${tiles.length === 1 ? 'One tile' : `${tiles.length} tiles beside each other`} of ${count(iterations)}; at most ${count(inFlight)} at a time are begun and not finished.`;
  return markup`<section><h2>${names.join(' ')}</h2><p>${text}</p>${waterfallChart(waterfall)}</section>
`;
}
