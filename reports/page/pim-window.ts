import type { CommandWindow } from '../command-window.ts';
import { roles } from '../command-window.ts';
import { count } from '../format.ts';
import { Markup, markup } from '../markup.ts';
import type { Colour } from '../palette.ts';
import { caption, section } from './figure.ts';

const colours: { readonly [role in (typeof roles)[number]]: Colour } = {
  opens: 'series5',
  closes: 'others',
  reads: 'series0',
  writes: 'series4',
  multiplies: 'series1',
  moves: 'series2',
  refreshes: 'series3',
};

const names: { readonly [role in (typeof roles)[number]]: string } = {
  opens: 'opens a row',
  closes: 'closes a row',
  reads: 'reads',
  writes: 'writes',
  multiplies: 'multiplies',
  moves: 'moves numbers',
  refreshes: 'refreshes',
};

/** Text that may stand in a script. */
const data = (value: unknown): Markup => new Markup(JSON.stringify(value).replaceAll('<', '\\u003c'));

/** Commands of a channel one by one, for a script that draws them; undefined where there are none. */
export function commandWindow(window: CommandWindow, banks: readonly string[]): Markup | undefined {
  const { cycle, commands, command } = window;
  if (cycle.length === 0) return undefined;
  const sent = new Set(command);
  const used = roles.filter((role) => [...sent].some((index) => commands[index]?.role === role));
  const paths = banks.map((bank) => bank.split(', '));
  const steps = {
    levels: paths[0]?.map((part) => part.slice(0, part.lastIndexOf(' '))) ?? [],
    banks: paths.map((path) => path.map((part) => part.slice(part.lastIndexOf(' ') + 1)).join('.')),
    commands: commands.map(({ name, role, cycles, banks: of }, index) => ({
      name,
      role,
      cycles,
      banks: sent.has(index) ? runsOf(of) : [],
      opens: { opens: 1, closes: -1 }[window.device.commands[index]!.banks as string] ?? 0,
    })),
    open: window.open,
    from: window.from,
    cycle: cycle.map((at, i) => at - (cycle[i - 1] ?? window.from)),
    command,
    bank: window.bank,
    row: window.row,
    clock: window.device.clockPs / 1000,
  };
  const range = `${count(cycle.length)} commands from cycle ${count(cycle[0]!)} to ${count(cycle.at(-1)!)}${window.isCut ? '; more followed (replay with --from to see them)' : ''}.`;
  const legend = [
    ...used.map((role) => ({ key: role, name: names[role], colour: colours[role] })),
    { key: 'open', name: 'row open', colour: 'span' },
  ];
  return section(
    'pimWindow',
    caption(
      `${range} Drag to move, double-click or press + and − to zoom, arrow keys to go along; the wheel zooms once the picture is clicked.`,
    ),
    markup`<div class="lanes"><div class="tools"><div class="legend">${legend.map(
      ({ key, name, colour }) =>
        markup`<span><i data-key="${key}" style="background:var(--${colour})"></i>${name}</span>`,
    )}</div><div class="buttons"><button type="button" data-do="out" aria-label="Zoom out">−</button><button type="button" data-do="in" aria-label="Zoom in">+</button><button type="button" data-do="left" aria-label="Earlier">←</button><button type="button" data-do="right" aria-label="Later">→</button><button type="button" data-do="all">All</button></div></div><canvas tabindex="0" role="img" aria-label="Commands of channel 0 in its banks over time"></canvas><p class="at" aria-live="polite"></p><noscript>This picture is drawn by a script.</noscript></div><script type="application/json" id="commands">${data(steps)}</script>`,
  );
}

/** Banks in a row as `[first, count]`. */
function runsOf(banks: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const bank of banks.toSorted((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && last[0] + last[1] === bank) last[1]++;
    else runs.push([bank, 1]);
  }
  return runs;
}

export const windowStyle = `.lanes { margin-top: 12px; }
.lanes .tools { display: flex; flex-wrap: wrap; gap: 8px 20px; justify-content: space-between; align-items: center; margin-bottom: 8px; }
.lanes .legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 12.5px; }
.lanes .legend i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 5px; vertical-align: -1px; }
.lanes .buttons { display: flex; gap: 4px; }
.lanes button { font: inherit; font-size: 13px; min-width: 30px; color: var(--ink); background: var(--panel); border: 1px solid var(--line); border-radius: 5px;
  padding: 2px 8px; cursor: pointer; }
.lanes canvas { display: block; width: 100%; cursor: grab; touch-action: pan-y; color: var(--ink); }
.lanes canvas:focus-visible, .lanes button:focus-visible { outline: 2px solid var(--busy); outline-offset: 2px; }
.lanes .at { font-size: 13px; color: var(--soft); margin: 6px 0 0; min-height: 1.5em; }
@media print { .lanes .buttons, .lanes .at { display: none; } }`;
