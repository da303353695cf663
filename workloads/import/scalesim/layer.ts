/** Layers of a SCALE-Sim topology. One word is one element. */
import type { Place } from '../../../arch/language/diagnostics.ts';

/** N:M sparsity of the filters: of each `of` weights in a row, `kept` are not zero. */
export interface Sparsity {
  readonly kept: number;
  readonly of: number;
}

interface Named {
  /** Names may repeat. */
  readonly name: string;
  readonly sparsity: Sparsity | null;
  /** Of the name. */
  readonly place: Place;
}

/**
 * Without padding and without a batch.
 * A layer is `depthwise` when its name has "DP" in it: SCALE-Sim runs it as `channels` layers, one after the other, each
 * of one channel and all `filters`.
 */
export interface ConvLayer extends Named {
  readonly kind: 'conv' | 'depthwise';
  /** Of the IFMAP. */
  readonly height: number;
  readonly width: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly channels: number;
  readonly filters: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
}

/** (M x K) times (K x N): IFMAP times filters. */
export interface GemmLayer extends Named {
  readonly kind: 'gemm';
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export type ScaleSimLayer = ConvLayer | GemmLayer;

/**
 * The matrix product that SCALE-Sim makes of a layer, of a depthwise one for each channel: M = output pixels, N = filters,
 * K = weights of a filter. A last window that reaches beyond the IFMAP counts as a whole one:
 * output height = ceil((height - filterHeight + strideHeight) / strideHeight), as in `topology_utils.py`.
 */
export function productOf(layer: ScaleSimLayer): { m: number; n: number; k: number } {
  if (layer.kind === 'gemm') return { m: layer.m, n: layer.n, k: layer.k };
  const { height, width, filterHeight, filterWidth, strideHeight, strideWidth } = layer;
  const rows = Math.ceil((height - filterHeight + strideHeight) / strideHeight);
  const columns = Math.ceil((width - filterWidth + strideWidth) / strideWidth);
  const channels = layer.kind === 'depthwise' ? 1 : layer.channels;
  return { m: rows * columns, n: layer.filters, k: filterHeight * filterWidth * channels };
}
