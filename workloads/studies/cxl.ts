/**
 * Copies of GPUs from and to CXL memory, and CPU Adam on it, beside the benches of CXL-aware fine-tuning (arXiv 2507.03305).
 * What is fitted is in arch/cxl-host.yaml and the parts that it uses.
 */
import { loadArch, loadStream, parsePlacement, type Result, simulateStreams, study } from '../../index.ts';
import { adamRows, copyRows, source, type Where, wheres } from './cxl/recorded.ts';

const works = ['to-device', 'to-host', 'adam'] as const;

interface Point {
  readonly work: (typeof works)[number];
  readonly where: Where;
  /** Of copies. */
  readonly gpus: number;
  /** Bytes of a copy, or elements. */
  readonly size: number;
}

const places: { readonly [where in Where]: string } = {
  local: 'dram',
  cxl: 'cxl',
  '1:1': 'dram+cxl:interleave(1,1)',
  '1:2': 'dram+cxl:interleave(1,2)',
  '1:3': 'dram+cxl:interleave(1,3)',
  '1:4': 'dram+cxl:interleave(1,4)',
};

const machine = loadArch('cxl-host');

function loaded({ work, where, gpus, size }: Point) {
  const isAdam = work === 'adam';
  const workload = isAdam
    ? loadStream('cpu-adam', { shape: [`elements=${size}`] })
    : loadStream(`copy-${work}`, { shape: [`data=${size} B`] });
  const devices = isAdam ? '' : `devices: ${gpus}\n`;
  const mapping = parsePlacement(`mapping: m\n${devices}place: ["* -> ${places[where]}"]\n`, 'cxl.yaml');
  return { workload, mapping };
}

/** All that a point's figures are decided by. */
function inputsOf(point: Point) {
  const { workload, mapping } = loaded(point);
  return { arch: machine, workload: workload.workload, placement: mapping.placement, point };
}

type Row = Point & { readonly ms: number; readonly GiBps: number };

const GiB = 2 ** 30;
const isSame = (a: Point, b: Point): boolean =>
  a.work === b.work && a.where === b.where && a.gpus === b.gpus && a.size === b.size;

/** Figures of the benches: GiB/s of each GPU, or milliseconds of a step. */
const recorded: readonly (Point & { readonly target: number })[] = [
  ...copyRows.flatMap(([gpus, where, size, read, write]) => [
    { work: 'to-device' as const, where, gpus, size, target: read },
    { work: 'to-host' as const, where, gpus, size, target: write },
  ]),
  ...adamRows.map(([where, size, target]) => ({ work: 'adam' as const, where, gpus: 1, size, target })),
];

const targetOf = (point: Point): number | null => recorded.find((row) => isSame(row, point))?.target ?? null;

function textOf({ work, where, gpus, size }: Point): string {
  if (work === 'adam') return `CPU Adam, ms, ${(size / 1e6).toFixed(1)} M elements, ${where}`;
  const amount = size >= GiB ? `${size / GiB} GiB` : size >= 2 ** 20 ? `${size / 2 ** 20} MiB` : `${size / 1024} KiB`;
  return `Copy ${work}, GiB/s each of ${gpus}, ${amount}, ${where}`;
}

const adam = (rows: readonly Row[], where: Where, size: number): number | undefined =>
  rows.find((row) => isSame(row, { work: 'adam', where, gpus: 1, size }))?.ms;
const slowdown = (rows: readonly Row[], size: number): number | null => {
  const [far, near] = [adam(rows, 'cxl', size), adam(rows, 'local', size)];
  return far !== undefined && near !== undefined ? far / near : null;
};

export default study({
  name: 'cxl',
  about: 'Copies of GPUs from and to local and CXL memory, and CPU Adam on them',
  parameters: {
    work: works,
    where: wheres,
    gpus: [1, 2],
    size: [...new Set(recorded.map(({ size }) => size))].sort((a, b) => a - b),
  },
  skip: (point) => targetOf(point as Point) === null,
  inputs: (point) => inputsOf(point as Point),
  run: ({ arch, point }: ReturnType<typeof inputsOf>) => simulateStreams({ arch, ...loaded(point) }),
  metrics: (result: Result) => ({
    ms: result.seconds * 1e3,
    GiBps: (result.streams?.[0]?.bandwidth ?? 0) / 2 ** 30,
  }),
  units: { ms: 'ms', GiBps: 'GiB/s' },
  claims: [
    ...recorded.map((row) => ({
      text: textOf(row),
      source,
      target: row.target,
      within: 0.1,
      measured: (rows: readonly Row[]) => {
        const found = rows.find((one) => isSame(one, row));
        return found ? (row.work === 'adam' ? found.ms : found.GiBps) : null;
      },
    })),
    {
      text: 'CPU Adam on CXL takes about 4 times as long beyond 20 M elements',
      source: 'arXiv 2507.03305, abstract',
      target: 4,
      within: 0.1,
      measured: (rows: readonly Row[]) => slowdown(rows, 544997376),
    },
    {
      text: 'CPU Adam on CXL over local of 12.8 M elements, which the cache holds',
      source,
      target: 0.917714 / 0.806493,
      within: 0.15,
      measured: (rows: readonly Row[]) => slowdown(rows, 12845056),
    },
  ],
});
