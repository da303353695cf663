/** SCALE-Sim's files as a machine and a workload. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Arch } from '../../../arch/language/arch.ts';
import { type Diagnostic, InputError } from '../../../arch/language/diagnostics.ts';
import { reasonOf } from '../../../arch/language/file-error.ts';
import { parseScaleSimConfig, type ScaleSimConfig } from './config.ts';
import type { ScaleSimLayer } from './layer.ts';
import { machineOf } from './machine.ts';
import { parseScaleSimTopology } from './topology.ts';
import { type ImportedTopology, workloadOf } from './workload.ts';

export interface ScaleSimRun extends ImportedTopology {
  readonly config: ScaleSimConfig;
  readonly arch: Arch;
}

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
  // Without support for sparsity, the column of the topology has no effect.
  const dense = layers.map((layer): ScaleSimLayer => (config.sparsity ? layer : { ...layer, sparsity: null }));
  const name = basename(topologyFile).replace(/\.csv$/i, '');
  return { config, arch: machineOf(config), ...workloadOf(dense, name) };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError({ message: `cannot read ${file}: ${reasonOf(error)}` });
  }
}
