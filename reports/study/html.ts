import type { Chart } from '../../models/study/definition.ts';
import type { ClaimOutcome, StudyReport } from '../../models/study/report.ts';
import { type Markup, markup, type Part } from '../markup.ts';
import { caption } from '../page/figure.ts';
import { pageOf } from '../page/page.ts';
import { script } from '../page/script.ts';
import { style } from '../page/style.ts';
import { categorical, heatRules, heatSteps } from '../palette.ts';
import { claimFigure, columnsOf, errorText, holdsText } from './columns.ts';
import { curveChart } from './curve.ts';
import { heatMap } from './heat.ts';
import { Table } from './panels.ts';
import { paretoChart } from './pareto.ts';
import { claimNotes, pointName } from './terminal.ts';

/** Values of a parameter, and failed points, that are listed before the rest is counted. */
const listed = 12;

/** Text on a step of the heat scale: white on what is dark, whichever end of the scale that is. */
const onHeat = Array.from({ length: heatSteps }, (_, step) => {
  const [light, dark] = [step >= 6 ? '#ffffff' : '#1b2128', step <= 3 ? '#ffffff' : '#1b2128'];
  return `.chart text.on-heat${step} { fill: light-dark(${light}, ${dark}); }`;
});

const studyStyle = `${heatRules()}
${onHeat.join('\n')}
.chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
${categorical.map((name) => `.chart .s-${name} { stroke: var(--${name}); }`).join('\n')}
td.claim { white-space: normal; min-width: 13em; }
.yes, .no { white-space: nowrap; }
.no { color: var(--memory); font-weight: 600; }
td.error { color: var(--memory); }`;

/** One self-contained page: claims, charts, rows. It loads nothing, and reads as well on paper and without scripts. */
export function studyPage(report: StudyReport): string {
  const table = new Table(report);
  return pageOf({
    title: report.name,
    style: `${style}\n${studyStyle}`,
    body: markup`${header(report)}${failures(report)}${claims(report)}${report.charts.map((chart) => chartPart(table, chart))}${rows(report)}`,
    script,
  });
}

const section = (title: string, ...body: Part[]): Markup => markup`<section><h2>${title}</h2>${body}</section>\n`;

function header({ name, about, parameters, rows, gridSize, isWhole, version }: StudyReport): Markup {
  const values = parameters.map(({ name: parameter, values: all }): [string, string] => {
    const shown = all.slice(0, listed).map(String).join(' · ');
    return [parameter, all.length > listed ? `${shown} and ${all.length - listed} more` : shown];
  });
  const finished = rows.filter((row) => 'metrics' in row).length;
  const entries: readonly (readonly [string, string])[] = [
    ['Study', about],
    ['Points', isWhole ? `${rows.length}` : `${finished} of ${rows.length} finished; the whole grid has ${gridSize}`],
    ...values,
    ['Made by', `Clockwright ${version}`],
  ];
  return markup`<header><button type="button" id="theme" hidden>Dark or light</button><h1>${name}</h1><dl class="facts">${entries
    .filter(([, value]) => value !== '')
    .map(([term, value]) => markup`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl></header>\n`;
}

function failures({ rows }: StudyReport): Markup | undefined {
  const failed = rows.flatMap((row) => ('error' in row ? row : []));
  if (failed.length === 0) return undefined;
  const lines = failed.slice(0, listed).map(({ point, error }) => `${pointName(point)}: ${error.split('\n')[0]}`);
  const more = failed.length > listed ? [`and ${failed.length - listed} more`] : [];
  return markup`<aside class="notes"><strong>${failed.length} of ${rows.length} points failed</strong><ul>${[...lines, ...more].map((line) => markup`<li>${line}</li>`)}</ul></aside>\n`;
}

function claims(report: StudyReport): Markup | undefined {
  if (report.claims.length === 0) return undefined;
  const head = ['Claim', 'Source', 'Target', 'Measured', 'Error', 'Holds'].map((text, i) =>
    i >= 2 && i <= 4 ? markup`<th scope="col" class="number">${text}</th>` : markup`<th scope="col">${text}</th>`,
  );
  const notes = claimNotes(report).map((note) => caption(`${note[0]?.toUpperCase()}${note.slice(1)}.`));
  return section(
    'Claims',
    markup`<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${report.claims.map(claimLine)}</tbody></table></div>${notes}`,
  );
}

function claimLine({ claim, source, target, measured, error, holds, problem }: ClaimOutcome): Markup {
  const verdict = problem === null ? holdsText(holds) : `failed: ${problem}`;
  const kind = holds === false || problem !== null ? 'no' : 'yes';
  return markup`<tr><td class="claim">${claim}</td><td class="claim">${source}</td><td class="number">${claimFigure(target)}</td><td class="number">${claimFigure(measured)}</td><td class="number">${errorText(error)}</td><td><span class="${kind}">${verdict}</span></td></tr>\n`;
}

function chartPart(table: Table, chart: Chart): Markup {
  const title = titleOf(chart);
  const names = Object.entries(chart).flatMap(([key, name]) => (['kind', 'log', 'most'].includes(key) ? [] : [name]));
  const unknown = names.filter((name) => !table.has(name));
  if (unknown.length > 0)
    return section(title, caption(`No row has ${unknown.map((name) => `"${name}"`).join(', ')}.`));
  return section(title, drawing(table, chart) ?? caption('No row has a figure for this chart.'));
}

function drawing(table: Table, chart: Chart): Markup | undefined {
  switch (chart.kind) {
    case 'curve':
      return curveChart(table, chart);
    case 'heat':
      return heatMap(table, chart);
    case 'pareto':
      return paretoChart(table, chart);
  }
}

function titleOf(chart: Chart): string {
  const panel = chart.panel === undefined ? '' : `, by ${chart.panel}`;
  if (chart.kind === 'heat') return `${chart.value} over ${chart.x} and ${chart.y}${panel}`;
  if (chart.kind === 'pareto') return `${chart.y} against ${chart.x}: the Pareto front${panel}`;
  return `${chart.y} over ${chart.x}${chart.by === undefined ? '' : `, by ${chart.by}`}${chart.panel === undefined ? '' : ` and ${chart.panel}`}`;
}

function rows(report: StudyReport): Markup {
  const columns = columnsOf(report);
  const kind = (isNumber: boolean): Markup | undefined => (isNumber ? markup` class="number"` : undefined);
  const head = columns.map(({ name, isNumber }) => markup`<th scope="col"${kind(isNumber)}>${name}</th>`);
  const body = report.rows.map((row) => {
    const shown = 'error' in row ? columns.slice(0, report.parameters.length) : columns;
    const cells = shown.map((column) => markup`<td${kind(column.isNumber)}>${column.text(row)}</td>`);
    const error = 'error' in row ? markup`<td class="error" colspan="${report.metrics.length}">${row.error}</td>` : '';
    return markup`<tr>${cells}${error}</tr>\n`;
  });
  return section(
    'Rows',
    markup`<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`,
  );
}
