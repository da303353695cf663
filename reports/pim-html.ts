import type { CommandWindow } from './command-window.ts';
import { definitionsFor, pimTerms } from './glossary.ts';
import { markup } from './markup.ts';
import { definitionsOf, section } from './page/figure.ts';
import { notesOf, pageHeader } from './page/header.ts';
import { pageOf } from './page/page.ts';
import { pimParts } from './page/pim.ts';
import { commandWindow, windowStyle } from './page/pim-window.ts';
import { windowScript } from './page/pim-window-script.ts';
import { script } from './page/script.ts';
import { style } from './page/style.ts';
import { heatRules } from './palette.ts';
import type { PimReport } from './pim.ts';

/** One self-contained HTML page of a run of a PIM program, and of some of its commands one by one. */
export function pimHtml({ trace, device, refresh, activity, energy }: PimReport, window: CommandWindow | null): string {
  const name = trace.replace(/^.*[/\\]/, '');
  const facts: [string, string][] = [
    ['Program', trace],
    ['Memory', device.name],
    ['Refresh', refresh],
  ];
  const definitions = definitionsFor({ dram: true, pim: true, serving: false, experts: false, dataflow: false }).filter(
    ([term]) => pimTerms.includes(term),
  );
  return pageOf({
    title: `${name} on ${device.standard}`,
    style: `${style}\n${heatRules()}\n${windowStyle}`,
    body: markup`${pageHeader(markup`${name} <span class="soft">on</span> ${device.standard}`, facts)}${notesOf(energy?.notes ?? [])}${section('pim', pimParts(activity, energy?.by ?? {}))}${window === null ? undefined : commandWindow(window, activity.banks)}${definitionsOf(definitions)}`,
    script: `${script}\n${windowScript}`,
  });
}
