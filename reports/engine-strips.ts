/** What engines did over time, as strips: one for an engine, and one for the engines of a kind that several cores have. */
import type { EngineResult, EngineTimeline } from '../models/result.ts';
import type { Account } from './accounts.ts';
import type { UtilizationRow } from './charts/utilization.ts';
import { type Alike, alike, mean, meanOverTime } from './cores.ts';

export interface TimedEngine {
  engine: EngineResult;
  timeline: EngineTimeline;
}

/** Engines that have a timeline, in their order; those of one kind together where their slices of time agree. */
export function timedEngines(
  engines: readonly EngineResult[],
  timelines: readonly EngineTimeline[],
): Alike<TimedEngine>[] {
  const byName = new Map(timelines.map((timeline) => [timeline.engine, timeline]));
  const timed = engines.flatMap((engine): TimedEngine[] => {
    const timeline = byName.get(engine.name);
    return timeline === undefined || timeline.busy.length === 0 ? [] : [{ engine, timeline }];
  });
  return alike(
    timed,
    ({ engine }) => engine.name,
    ({ timeline }) => [timeline.bin],
  );
}

/** The strip of an engine, or the mean of the strips of several. */
export function strip({ name, cores, members }: Alike<TimedEngine>): UtilizationRow {
  const over = (account: Account) => meanOverTime(members.map(({ timeline }) => timeline[account]));
  return {
    timeline: {
      engine: name,
      bin: members[0]!.timeline.bin,
      busy: over('busy'),
      waitInput: over('waitInput'),
      waitOutput: over('waitOutput'),
      waitMemory: over('waitMemory'),
      idle: over('idle'),
    },
    busy: mean(members.map(({ engine }) => engine.utilization)),
    cores,
  };
}
