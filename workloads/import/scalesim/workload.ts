/** The layers of a SCALE-Sim topology as a workload: an einsum for each, on tensors of its own. */
import { List, Map, OrderedMap } from 'immutable';
import type { Place } from '../../../arch/language/diagnostics.ts';
import {
  Access,
  Einsum,
  Index,
  type LoadedWorkload,
  Operation,
  Sparsity,
  Step,
  Tensor,
  Workload,
} from '../../language/workload.ts';
import { type ConvLayer, type GemmLayer, productOf, type ScaleSimLayer } from './layer.ts';

/** A layer and the names of its tensors; `ofmap` is also its einsum's. */
export interface ImportedLayer {
  readonly name: string;
  /** Summed over in its product, of a depthwise layer in that of a channel. */
  readonly k: number;
  readonly ifmap: string;
  readonly filter: string;
  readonly ofmap: string;
}

export interface ImportedTopology {
  readonly loaded: LoadedWorkload;
  readonly layers: readonly ImportedLayer[];
}

/** The size of a tensor's dimension, and by which variables it is indexed, with their steps. */
interface Dimension {
  readonly extent: number;
  readonly terms: readonly (readonly [variable: string, step: number])[];
}

interface Product {
  readonly ifmap: readonly Dimension[];
  readonly filter: readonly Dimension[];
  readonly ofmap: readonly Dimension[];
  /** Summed over, the last one fastest. */
  readonly reduced: readonly string[];
  readonly extents: ReadonlyMap<string, number>;
}

/**
 * One word is a byte, images are stored by height, width and channel, and filters one after another. A convolution's last
 * window may reach beyond the image, where it reads zero. N:M sparsity is along the channels of a filter, or K.
 */
export function workloadOf(layers: readonly ScaleSimLayer[], name: string): ImportedTopology {
  const unique = uniqueNames(layers);
  const ranks: [string, number][] = [];
  const tensors: [string, Tensor][] = [];
  const steps: Step[] = [];
  const places = new globalThis.Map<string, Place>();
  const imported = layers.map((layer, i): ImportedLayer => {
    const names = { ifmap: `${unique[i]}.ifmap`, filter: `${unique[i]}.filter`, ofmap: `${unique[i]}.ofmap` };
    const own = { name: layer.name, k: productOf(layer).k, ...names };
    const product = layer.kind === 'gemm' ? gemmProduct(layer) : convProduct(layer);
    // Every layer has ranks of its own: m3 is that of layer 3.
    const ranked = (variable: string): string => `${variable}${i}`;
    for (const [variable, extent] of product.extents) ranks.push([ranked(variable).toUpperCase(), extent]);
    const tensor = (named: string, dimensions: readonly Dimension[], role: Tensor['role']): Tensor =>
      new Tensor({
        name: named,
        dtype: 'int8',
        role,
        padded: role === 'input',
        shape: List(dimensions.map((d) => d.extent)),
      });
    const access = (named: string, dimensions: readonly Dimension[]): Access =>
      new Access({
        tensor: named,
        indices: List(
          dimensions.map(({ terms }) => new Index({ terms: Map(terms.map(([v, step]) => [ranked(v), step])) })),
        ),
      });
    const filter = tensor(own.filter, product.filter, 'input').set('sparsity', sparsityOf(layer, product, ranked));
    tensors.push([own.ifmap, tensor(own.ifmap, product.ifmap, 'input')], [own.filter, filter]);
    tensors.push([own.ofmap, tensor(own.ofmap, product.ofmap, 'output')]);
    const operands = List([access(own.ifmap, product.ifmap), access(own.filter, product.filter)]);
    const einsum = new Einsum({
      name: own.ofmap,
      output: access(own.ofmap, product.ofmap),
      expression: new Operation({ operator: 'mul', operands }),
      reduced: List(product.reduced.map(ranked)),
      reducer: 'add',
    });
    steps.push(new Step({ name: unique[i]!, einsums: List([einsum]) }));
    places.set(own.ofmap, layer.place);
    return own;
  });
  const workload = new Workload({
    name,
    about: 'Layers of a SCALE-Sim topology, one after another',
    source: 'SCALE-Sim topology file',
    dtype: 'int8',
    ranks: OrderedMap(ranks),
    tensors: OrderedMap(tensors),
    steps: List(steps),
  });
  return { loaded: { workload, places }, layers: imported };
}

function gemmProduct({ m, n, k }: GemmLayer): Product {
  return {
    ifmap: [plain('m', m), plain('k', k)],
    filter: [plain('n', n), plain('k', k)],
    ofmap: [plain('m', m), plain('n', n)],
    reduced: ['k'],
    extents: new globalThis.Map([
      ['m', m],
      ['n', n],
      ['k', k],
    ]),
  };
}

function convProduct(layer: ConvLayer): Product {
  const { height, width, filterHeight, filterWidth, channels, filters, strideHeight, strideWidth } = layer;
  const p = Math.ceil((height - filterHeight + strideHeight) / strideHeight);
  const q = productOf(layer).m / p;
  const window = [
    {
      extent: height,
      terms: [
        ['p', strideHeight],
        ['r', 1],
      ],
    },
    {
      extent: width,
      terms: [
        ['q', strideWidth],
        ['s', 1],
      ],
    },
  ] as const;
  const weights = [plain('r', filterHeight), plain('s', filterWidth)];
  const filter =
    layer.kind === 'depthwise'
      ? [plain('c', channels), plain('n', filters), ...weights]
      : [plain('n', filters), ...weights, plain('c', channels)];
  const pixels = [plain('p', p), plain('q', q)];
  return {
    ifmap: [...window, plain('c', channels)],
    filter,
    ofmap:
      layer.kind === 'depthwise'
        ? [...pixels, plain('c', channels), plain('n', filters)]
        : [...pixels, plain('n', filters)],
    reduced: layer.kind === 'depthwise' ? ['r', 's'] : ['r', 's', 'c'],
    extents: new globalThis.Map([
      ['p', p],
      ['q', q],
      ['n', filters],
      ['r', filterHeight],
      ['s', filterWidth],
      ['c', channels],
    ]),
  };
}

function plain(variable: string, extent: number): Dimension {
  return { extent, terms: [[variable, 1]] };
}

function sparsityOf(layer: ScaleSimLayer, { filter }: Product, ranked: (variable: string) => string): Sparsity | null {
  if (layer.sparsity === null) return null;
  const along = layer.kind === 'gemm' ? 'k' : layer.kind === 'depthwise' ? 's' : 'c';
  const dimension = filter.findIndex(({ terms }) => terms[0]![0] === along);
  return new Sparsity({ ...layer.sparsity, rank: ranked(along), dimension });
}

/** Names for tensors: without spaces, and numbered where they repeat or are another layer's name and number. */
function uniqueNames(layers: readonly ScaleSimLayer[]): string[] {
  const taken = new Set<string>();
  const last = new globalThis.Map<string, number>();
  return layers.map(({ name }) => {
    const plainName = name.replace(/\s+/g, '_');
    let number = (last.get(plainName) ?? 0) + 1;
    const numbered = (): string => (number === 1 ? plainName : `${plainName}#${number}`);
    while (taken.has(numbered())) number++;
    last.set(plainName, number);
    taken.add(numbered());
    return numbered();
  });
}
