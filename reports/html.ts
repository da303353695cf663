import type { Result } from '../models/result.ts';
import { markup } from './markup.ts';
import { pipelines, stageAccounts, stageGrid } from './page/dataflow.ts';
import { dramTables } from './page/dram.ts';
import { einsumsOverTime } from './page/einsums.ts';
import { engineAccounts, utilizationOverTime, waits } from './page/engines.ts';
import { expertBatches, expertLatency, expertTiers } from './page/experts.ts';
import { definitions, hasDram, hasPim } from './page/figure.ts';
import { cards, header, notes, values } from './page/header.ts';
import { mapping } from './page/mapping.ts';
import { bandwidthOverTime, memoryTables } from './page/memories.ts';
import { pageOf } from './page/page.ts';
import { areaBreakdown, energyBreakdown } from './page/physical.ts';
import { pimTables } from './page/pim.ts';
import { roofline } from './page/roofline.ts';
import { script } from './page/script.ts';
import { iterationsOverTime, oneLayer, servedOperators, servedRequests } from './page/serving.ts';
import { style } from './page/style.ts';
import { gridRules, heatRules } from './palette.ts';

/** What a reader asks in turn: how long, bound by what, when, by whom, at what cost, laid out how. */
const body = [
  header,
  cards,
  notes,
  servedOperators,
  oneLayer,
  iterationsOverTime,
  servedRequests,
  pipelines,
  stageGrid,
  stageAccounts,
  expertLatency,
  expertBatches,
  expertTiers,
  engineAccounts,
  utilizationOverTime,
  waits,
  roofline,
  einsumsOverTime,
  bandwidthOverTime,
  memoryTables,
  dramTables,
  pimTables,
  energyBreakdown,
  areaBreakdown,
  mapping,
  values,
];

/** One self-contained HTML page: it loads nothing, and reads as well on paper and without scripts. */
export function htmlReport(result: Result): string {
  const isDataflow = result.dataflow !== undefined;
  return pageOf({
    title: `${result.workload.name} on ${result.arch.name}`,
    style: [
      style,
      ...(hasDram(result) || hasPim(result) || isDataflow ? [heatRules()] : []),
      ...(isDataflow ? [gridRules] : []),
    ].join('\n'),
    body: markup`${body.map((part) => part(result))}${definitions(result)}`,
    script,
  });
}
