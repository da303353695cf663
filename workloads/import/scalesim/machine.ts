/** The machine that a SCALE-Sim configuration describes: an array between three scratchpads, and a memory. */
import { List, Map, OrderedMap } from 'immutable';
import {
  Arch,
  ArrayPart,
  type Content,
  type Dataflow,
  Link,
  MemoryPart,
  OperationCost,
  type Part,
  ScratchpadPart,
} from '../../../arch/language/arch.ts';
import type { ScaleSimConfig, SramLayout } from './config.ts';

/** The files say nothing of a clock: a cycle is a nanosecond. */
const hertz = 1e9;

/** Bytes per cycle of what never is the limit: more than the largest array takes, and exact in bytes per second. */
const unlimited = 2 ** 20;

/** More than any layer's tensors. */
const memoryBytes = 2 ** 50;

const dataflows: Readonly<Record<ScaleSimConfig['dataflow'], Dataflow>> = {
  os: 'output-stationary',
  ws: 'weight-stationary',
  is: 'input-stationary',
};

/**
 * One word is a byte. The bandwidth is that of the memory, shared by the three scratchpads; the scratchpads themselves are
 * as wide as the array needs, unless the file gives one a layout. Folds do not overlap.
 */
export function machineOf(config: ScaleSimConfig): Arch {
  const pad = (capacity: number, content: Content, layout: SramLayout | null = null): ScratchpadPart => {
    const own = layout && {
      banks: layout.banks,
      ports: layout.ports,
      width: layout.wordsPerLine,
      layout: 'row-major' as const,
    };
    return new ScratchpadPart({ capacity, holds: List([content]), clock: 'core', width: unlimited, ...own });
  };
  const parts: [string, Part][] = [
    [
      'dram',
      new MemoryPart({
        capacity: memoryBytes,
        bandwidth: hertz * Math.min(config.bandwidth ?? unlimited, unlimited),
      }),
    ],
    ['ifmap', pad(config.ifmapBytes, 'inputs', config.layout?.ifmap)],
    ['filter', pad(config.filterBytes, 'weights', config.layout?.filter)],
    ['ofmap', pad(config.ofmapBytes, 'results')],
    [
      'array',
      new ArrayPart({
        clock: 'core',
        rows: config.rows,
        columns: config.columns,
        dataflow: dataflows[config.dataflow],
        overlap: 'none',
        sparsity: config.sparsity ? 'structured' : 'none',
        operations: Map({ mac: new OperationCost({ action: 'mac' }) }),
      }),
    ],
  ];
  const link = (from: string, to: string, via: string | null, both: boolean): Link => new Link({ from, to, via, both });
  return new Arch({
    name: config.name,
    about: 'A systolic array with a scratchpad for each operand, as SCALE-Sim describes it',
    source: 'SCALE-Sim configuration file',
    clocks: OrderedMap({ core: hertz }),
    parts: OrderedMap(parts),
    links: List([
      ...['ifmap', 'filter', 'ofmap'].map((name) => link('dram', name, null, true)),
      link('ifmap', 'array', null, false),
      link('filter', 'array', null, false),
      link('array', 'ofmap', null, true),
    ]),
  });
}
