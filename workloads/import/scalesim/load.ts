/** SCALE-Sim's files as a machine and a workload. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Arch } from '../../../arch/language/arch.ts';
import { type Diagnostic, InputError } from '../../../arch/language/diagnostics.ts';
import { reasonOf } from '../../../arch/language/file-error.ts';
import { parseScaleSimConfig, type ScaleSimConfig } from './config.ts';
import { productOf, type ScaleSimLayer } from './layer.ts';
import { machineOf } from './machine.ts';
import { parseScaleSimTopology } from './topology.ts';
import { type ImportedTopology, workloadOf } from './workload.ts';

export interface ScaleSimRun extends ImportedTopology {
  readonly config: ScaleSimConfig;
  readonly arch: Arch;
  /** What the files ask for and is not done, or done otherwise: one sentence each. */
  readonly notes: readonly string[];
}

/** Most folds of one layer: they run for minutes, those of the largest operands on a small array for days. */
const mostFolds = 2 ** 26;

/** `kind` says what the rows of the topology are. @throws InputError with the mistakes of both files. */
export function loadScaleSim(configFile: string, topologyFile: string, kind: 'conv' | 'gemm'): ScaleSimRun {
  const mistakes: Diagnostic[] = [];
  const attempt = <T>(read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      mistakes.push(...error.diagnostics);
      return null;
    }
  };
  const config = attempt((): ScaleSimConfig => parseScaleSimConfig(read(configFile), configFile));
  const layers = attempt((): ScaleSimLayer[] => parseScaleSimTopology(read(topologyFile), topologyFile, kind));
  if (config === null || layers === null) throw new InputError(mistakes);
  checkFolds(layers, config);
  // Without support for sparsity, the column of the topology has no effect.
  const dense = layers.map((layer): ScaleSimLayer => (config.sparsity ? layer : { ...layer, sparsity: null }));
  const name = basename(topologyFile).replace(/\.csv$/i, '');
  const notes = [...config.notes, ...sparsityNotes(layers, config)];
  return { config, arch: machineOf(config), notes, ...workloadOf(dense, name) };
}

function checkFolds(layers: readonly ScaleSimLayer[], config: ScaleSimConfig): void {
  const mistakes = layers.flatMap((layer): Diagnostic[] => {
    const folds = foldsOf(layer, config);
    if (folds <= mostFolds) return [];
    const [many, most] = [folds, mostFolds].map((value) => value.toLocaleString('en-US'));
    const message =
      `layer "${layer.name}" has ${many} folds on ${config.rows} x ${config.columns}, ` +
      `more than the ${most} that can be run`;
    return [{ message, place: layer.place, hint: 'write a larger ArrayHeight or ArrayWidth, or a smaller layer' }];
  });
  if (mistakes.length > 0) throw new InputError(mistakes);
}

/**
 * ceil(Sr / rows) x ceil(Sc / columns), as in SCALE-Sim's `systolic_compute_os.py` and its kin, for each channel of a
 * depthwise layer. At least as many as run: no weight is left out for sparsity.
 */
function foldsOf(layer: ScaleSimLayer, { rows, columns, dataflow }: ScaleSimConfig): number {
  const { m, n, k } = productOf(layer);
  const overRows = dataflow === 'os' ? m : k;
  const overColumns = dataflow === 'is' ? m : n;
  const channels = layer.kind === 'depthwise' ? layer.channels : 1;
  return channels * Math.ceil(overRows / rows) * Math.ceil(overColumns / columns);
}

function sparsityNotes(layers: readonly ScaleSimLayer[], config: ScaleSimConfig): string[] {
  const sparse = layers.filter(({ sparsity }) => sparsity !== null && sparsity.kept < sparsity.of);
  if (config.sparsity || sparse.length === 0) return [];
  const which = sparse.length === 1 ? `layer "${sparse[0]!.name}"` : `${sparse.length} layers`;
  return [`The N:M of ${which} is ignored: SparsitySupport in [sparsity] is not true.`];
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError({ message: `cannot read ${file}: ${reasonOf(error)}` });
  }
}
