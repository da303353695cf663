import { chartRules, paletteVariables } from '../palette.ts';

/** The page's style sheet. One column as wide as a chart; dark, narrow and printed pages differ in a few lines. */
export const style = `:root {
  color-scheme: light dark;
  ${paletteVariables}
}
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%; }
main { max-width: 928px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; font-weight: 650; letter-spacing: -0.01em; margin: 0 0 18px; padding-right: 130px; }
h2 { font-size: 18px; font-weight: 650; margin: 0 0 14px; }
h3 { font-size: 15px; font-weight: 600; margin: 26px 0 8px; }
h4 { font-size: 14px; font-weight: 600; margin: 0 0 4px; }
section { margin-top: 52px; }
header { position: relative; }
code { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
.soft { color: var(--soft); font-weight: 400; }
.caption, .reason { color: var(--soft); font-size: 14px; margin: 10px 0 14px; max-width: 75ch; }
#theme { position: absolute; right: 0; top: 4px; font: inherit; font-size: 13px; color: var(--soft); background: none; border: 1px solid var(--line);
  border-radius: 6px; padding: 3px 10px; cursor: pointer; }

.facts { display: grid; grid-template-columns: max-content 1fr; gap: 5px 22px; margin: 0; font-size: 14px; }
.facts > div { display: contents; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }

.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(198px, 1fr)); gap: 12px; margin-top: 30px; }
.card { background: var(--panel); border-radius: 8px; padding: 12px 15px 14px; font-size: 13.5px; min-width: 0; overflow-wrap: anywhere; }
.card > .term { color: var(--soft); }
.card .figure { font-size: 23px; line-height: 1.3; font-weight: 600; letter-spacing: -0.01em; }
.card.wide { grid-column: span 2; }
.card .more { color: var(--soft); }
.meter { display: grid; grid-template-columns: minmax(0, 38%) minmax(24px, 1fr) max-content; gap: 9px; align-items: center; margin-top: 5px; }
.long-names .meter { grid-template-columns: minmax(0, 48%) minmax(20px, 1fr) max-content; gap: 7px; }
.meter > :first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.meter .track { background: var(--idle); height: 8px; border-radius: 2px; overflow: hidden; }
.meter .track > span { display: block; height: 100%; background: var(--busy); }

.notes { border-left: 3px solid var(--input); padding: 2px 16px; margin-top: 22px; font-size: 14px; }
.notes ul { margin: 4px 0; padding-left: 18px; }

.term { font: inherit; letter-spacing: inherit; color: inherit; text-align: inherit; background: none; border: 0; padding: 0; cursor: help;
  text-decoration: underline dotted 1px; text-decoration-color: var(--axis); text-underline-offset: 4px; }
.term:focus-visible, summary:focus-visible, #theme:focus-visible { outline: 2px solid var(--busy); outline-offset: 2px; border-radius: 2px; }
.definition { width: min(400px, 88vw); border: 1px solid var(--line); border-radius: 8px; background: var(--paper); color: var(--ink); padding: 12px 16px;
  font-size: 14px; box-shadow: 0 6px 26px rgb(0 0 0 / 0.18); }
.definition p { margin: 4px 0 0; }
.definitions { columns: 2; column-gap: 36px; font-size: 13px; margin: 0; }
.definitions > div { break-inside: avoid; margin-bottom: 9px; }
.definitions dt { font-weight: 600; }
.definitions dd { margin: 0; color: var(--soft); }
#tip { position: fixed; z-index: 2; pointer-events: none; white-space: pre-line; background: var(--ink); color: var(--paper); border-radius: 5px;
  padding: 6px 10px; font-size: 12.5px; line-height: 1.4; max-width: 420px; }

.scroll { overflow-x: auto; margin-top: 12px; }
table { border-collapse: collapse; font-size: 13px; line-height: 1.4; min-width: 50%; }
th { font-weight: 500; color: var(--soft); text-align: left; vertical-align: bottom; border-bottom: 1px solid var(--axis); }
th, td { padding: 5px 16px 5px 0; }
th.number { white-space: normal; }
td:first-child { white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
td { border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
td code { white-space: nowrap; }
pre { margin: 8px 0 0; overflow-x: auto; }
.number { text-align: right; white-space: nowrap; }
.part { white-space: normal; }
.part > span { white-space: nowrap; }
.names { display: inline-block; min-width: 90px; }
.scroll:has(.range) :is(th, td) { padding-right: 11px; }
.scroll:has(.range) :is(th, td):last-child { padding-right: 0; }
.range { display: block; color: var(--soft); font-size: 11.5px; white-space: normal; }
th.number .term { text-align: right; }
details { margin-top: 10px; font-size: 14px; }
summary { cursor: pointer; color: var(--ink); }
details > :not(summary) { margin-left: 2px; }
.inside > details { margin-left: 16px; }
.columns { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 36px; margin-top: 14px; }
.columns table { width: 100%; }

.chart { display: block; width: 100%; height: auto; overflow: visible; }
.chart .hit:hover { fill: var(--ink); fill-opacity: 0.12; }
${chartRules((name) => `var(--${name})`)}

@media (max-width: 760px) {
  main { padding: 24px 16px 48px; }
  h1 { font-size: 23px; }
  .columns { grid-template-columns: minmax(0, 1fr); gap: 20px; }
  .definitions { columns: 1; }
}
@media (max-width: 520px) {
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .facts dd { margin-bottom: 7px; }
  .card.wide { grid-column: auto; }
}
@media print {
  :root, :root[data-theme] { color-scheme: light; }
  @page { margin: 16mm 14mm; }
  body { font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  #theme, #tip, .definition { display: none; }
  .term { text-decoration: none; }
  section { margin-top: 30px; }
  h2, h3, h4 { break-after: avoid; }
  .chart, .card, tr, .columns > div { break-inside: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; width: 100%; }
  th, td { padding-right: 8px; }
  pre { white-space: pre-wrap; overflow: visible; }
  pre code { font-size: 7.5pt; }
  .definitions { font-size: 8pt; }
}`;
