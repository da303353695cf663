/** SCALE-Sim's own files, and changes to them. */
import { readFileSync } from 'node:fs';
import { parseScaleSimConfig, type ScaleSimConfig } from '../../workloads/import/scalesim/config.ts';
import { parseScaleSimTopology } from '../../workloads/import/scalesim/topology.ts';
import { mistakesIn } from './cascades.ts';

export function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/scalesim/${name}`, import.meta.url), 'utf8');
}

export const v2 = fixture('v2_scale.cfg');
export const v3 = fixture('v3_sparsity.cfg');
export const alexnet = fixture('v2_conv_alexnet.csv');
export const sparse = fixture('v3_gemm_sparsity.csv');

export type Change = readonly [from: string | RegExp, to: string | ((match: string) => string)];

/** A text after changes, each of which must change something. */
export function changed(text: string, ...changes: readonly Change[]): string {
  return changes.reduce((all, [from, to]) => {
    const next = typeof to === 'string' ? all.replace(from, to) : all.replace(from, to);
    if (next === all) throw new Error(`${from} changes nothing`);
    return next;
  }, text);
}

export function config(text: string, ...changes: readonly Change[]): ScaleSimConfig {
  return parseScaleSimConfig(changed(text, ...changes), 'my.cfg');
}

export type Kind = 'conv' | 'gemm';
export const headers: { readonly [K in Kind]: string } = {
  conv: alexnet.split('\n')[0]!,
  gemm: 'Layer Name, M, N, K,',
};

/** Layers without the places of their names. */
export function layersOf(text: string, kind: Kind): unknown[] {
  return parseScaleSimTopology(text, 'my.csv', kind).map(({ place: _, ...layer }) => layer);
}

export function topologyMistakes(text: string, kind: Kind): string[] {
  return mistakesIn(() => parseScaleSimTopology(text, 'my.csv', kind));
}
