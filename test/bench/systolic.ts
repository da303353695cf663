import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from '../../arch/language/diagnostics.ts';
import { packageRoot } from '../../arch/language/library.ts';
import { loadArch, loadWorkload, simulate } from '../../index.ts';
import type { GemmLayer } from '../../workloads/import/scalesim/layer.ts';
import { machineOf } from '../../workloads/import/scalesim/machine.ts';
import { workloadOf } from '../../workloads/import/scalesim/workload.ts';
import { cpuSeconds, type Row, type Section } from './harness.ts';

/** A run of SCALE-Sim, of test/fixtures/scalesim/reference.json. */
interface Measured {
  readonly group: string;
  readonly rows: number;
  readonly cols: number;
  readonly dataflow: 'os' | 'ws' | 'is';
  readonly kb: readonly [number, number, number];
  readonly bandwidth: number | null;
  readonly gemm: readonly [number, number, number];
  readonly status?: string;
  readonly cpu_s: number;
  readonly rss_kb: number;
}

/** CPU seconds of ONNXim a1e8629 with configs/systolic_ws_128x128_c4_simple_noc_tpuv4.json and HBM, on two shared cores. */
const onnxim = [
  { shape: [1024, 1024, 1024], seconds: 3.8 },
  { shape: [2048, 2048, 2048], seconds: 53.35 },
  { shape: [1, 4096, 4096], seconds: 29.37 },
] as const;

const place: Place = { file: 'topology.csv', line: 2, column: 1, length: 1, text: '' };

function rows(): Row[] {
  return [...scaleSim(), ...cores(), ...[512, 1024, 4096].map(memory), resNet()];
}

/** The runs that took SCALE-Sim longest, and those measured for their speed. */
function scaleSim(): Row[] {
  const file = join(packageRoot, 'test/fixtures/scalesim/reference.json');
  const all = JSON.parse(readFileSync(file, 'utf8')) as Measured[];
  const slow = all.filter(({ group, cpu_s }) => group === 'G_speed' || cpu_s > 30).sort((a, b) => b.cpu_s - a.cpu_s);
  return slow.map((entry): Row => {
    const { rows: height, cols, dataflow, kb, bandwidth, gemm, cpu_s, rss_kb, status } = entry;
    const [m, n, k] = gemm;
    const layer: GemmLayer = { kind: 'gemm', name: 'gemm', m, n, k, sparsity: null, place };
    const [ifmapBytes, filterBytes, ofmapBytes] = kb.map((size) => 1024 * size) as [number, number, number];
    const config = {
      name: 'machine',
      rows: height,
      columns: cols,
      dataflow,
      ifmapBytes,
      filterBytes,
      ofmapBytes,
      bandwidth,
      sparsity: false,
      layout: null,
      notes: [],
    };
    const seconds = cpuSeconds(() => () => {
      const { loaded } = workloadOf([layer], 'topology');
      simulate({ arch: machineOf(config), workload: loaded, wholeFolds: true });
    });
    const than = status === undefined ? '' : 'more than ';
    return {
      name: `${m} x ${n} x ${k} on ${height} x ${cols}, ${dataflow}: times faster than SCALE-Sim`,
      figure: cpu_s / seconds,
      unit: `x (${milliseconds(seconds)})`,
      ...(cpu_s > 10 && { target: { atLeast: 1000 } }),
      peer: `SCALE-Sim ${than}${cpu_s} CPU s, ${Math.round(rss_kb / 1e3)} MB`,
    };
  });
}

/** Four cores of 128 x 128 on one memory. */
function cores(): Row[] {
  const arch = loadArch(join(packageRoot, 'arch/multi-core.yaml'));
  return onnxim.map(({ shape: [m, n, k], seconds: theirs }): Row => {
    const shape = [`M=${m}`, `N=${n}`, `K=${k}`];
    const workload = loadWorkload(join(packageRoot, 'workloads/gemm.yaml'), { shape });
    const seconds = cpuSeconds(() => () => simulate({ arch, workload }));
    return {
      name: `${m} x ${n} x ${k} on 4 cores of 128 x 128: times faster than ONNXim`,
      figure: theirs / seconds,
      unit: `x (${milliseconds(seconds)})`,
      ...(theirs > 10 && { target: { atLeast: 100 } }),
      peer: `ONNXim ${theirs} CPU s`,
    };
  });
}

function resNet(): Row {
  const arch = loadArch(join(packageRoot, 'arch/systolic.yaml'));
  const workload = loadWorkload(join(packageRoot, 'workloads/resnet-50.yaml'));
  const figure = cpuSeconds(() => () => simulate({ arch, workload }), 3);
  return { name: 'ResNet-50 on 128 x 128: bind, run and measure', figure, unit: 'CPU s', target: { atMost: 1 } };
}

/** Peak memory of a whole run from the command line, which does not grow with the shape. Linux alone tells. */
function memory(size: number): Row {
  const folder = mkdtempSync(join(tmpdir(), 'clockwright-bench-'));
  try {
    const layers = join(folder, 'layers.csv');
    writeFileSync(layers, `Layer, M, N, K,\ngemm, ${size}, ${size}, ${size},\n`);
    const config = join(packageRoot, 'test/fixtures/scalesim/v2_scale.cfg');
    const probe = [
      "import { readFileSync } from 'node:fs'",
      "process.on('exit', () => console.error(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]))",
    ].join(';');
    const command = [join(packageRoot, 'dist/cli.js'), 'import', 'scalesim', config, layers, '--gemm'];
    const { stderr } = spawnSync(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(probe)}`, ...command],
      {
        encoding: 'utf8',
      },
    );
    const figure = Number(stderr.trim().split('\n').at(-1)) / 1e3;
    if (!(figure > 0)) throw new Error(`the command failed; is it built? ${stderr}`);
    return {
      name: `${size} x ${size} x ${size} on 32 x 32, os: peak memory of the command`,
      figure,
      unit: 'MB',
      target: { atMost: 150 },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function milliseconds(seconds: number): string {
  return `${(1e3 * seconds).toPrecision(2)} ms`;
}

export const section: Section = { title: 'Systolic arrays', rows };
