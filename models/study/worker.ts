/** A thread of a study: loads the script once, then runs points of it. Only plain rows cross threads. */
import { workerData } from 'node:worker_threads';
import type { Point } from './definition.ts';
import { loadStudy } from './load.ts';
import type { PointOutcome, Study } from './study.ts';

const { script } = workerData as { readonly script: string };
let study: Promise<Study> | null = null;

export default async function run(points: readonly Point[]): Promise<PointOutcome[]> {
  study ??= loadStudy(script);
  return (await study).run(points);
}
