/**
 * Study of compositions of experts: an SN40L node beside a DGX A100 and a DGX H100, with Llama 2 7B as router and as experts.
 *
 * The paper measured the SN40L and ESTIMATED both DGX: from published latencies of Llama 2 7B, and from 32 and 64 GB/s for
 * all that goes from the host to the GPUs of a node, which is also what they get here (arch/dgx-a100.yaml). Here all three
 * machines are simulated. The paper says neither how long prompts are nor how experts are drawn:
 * - Prompts have 4,096 tokens, the length that table III has Llama 2 7B at (workloads/coe-150.yaml).
 * - For the rows of table V with switching, requests go through the 150 experts in turn. Under LRU every one of them is missing then,
 *   as it takes to find both ratios of switching in the rows; uniform rows stand beside them. For the rows without, there are
 *   32 experts, which all machines have room for.
 * Figures are means over the second half of the batches.
 *
 * Switching is as the paper has it. What is missed in the other rows is the time of the models. From the ratios and the times of
 * switching one finds the times behind them, within some 15 %: on the SN40L 127 ms for router and expert of one request of 20
 * tokens (67 ms here), 576 ms of eight (574 ms); with 200 tokens 526 to 584 ms (303 ms) and 2,910 to 3,480 ms (2,460 ms). A further
 * token takes 1.6 to 2.4 ms there, where 85 % of the bandwidth of HBM, which the paper finds in decoding, make 1.3 ms, as here. On
 * the A100 a token takes 7.9 ms (3.9 ms here), on the H100 6.4 ms (1.4 ms): what the host needs for kernels of a GPU is not
 * modelled here, and shows most where kernels are shortest. Nothing is fitted to the table.
 */
import type { Arch } from '../../arch/language/arch.ts';
import {
  ExpertChoice,
  type ExpertComposition,
  loadArch,
  loadComposition,
  type Result,
  simulateComposition,
  study,
} from '../../index.ts';
import { machineTiers } from '../../models/composition/machine.ts';
import { weightBytesOf } from '../llm/share.ts';

const { workload } = loadComposition('coe-150');

/** Of table V, and all of them in the near memory. */
const [tableExperts, fewExperts] = [150, 32];
const counts = [
  1, 8, 16, 24, 32, 34, 36, 38, 40, 44, 46, 48, 50, 52, 56, 64, 80, 100, 128, 150, 160, 170, 200, 300, 400, 600, 800,
  850, 900, 1000,
];

interface Point {
  readonly machine: string;
  readonly experts: number;
  readonly batch: number;
  readonly output: number;
  readonly routing: string;
}

interface Inputs {
  readonly arch: Arch;
  readonly composition: ExpertComposition;
}

interface Outputs {
  /** Null where there is no room for that many experts. */
  readonly result: Result | null;
  /** Experts that the far tier has room for. */
  readonly most: number;
}

const of = (point: Partial<Point>) => (row: Point) =>
  Object.entries(point).every(([name, value]) => row[name as keyof Point] === value);

/** How many times as long as the SN40L a machine takes. */
function ratio(machine: string, point: Partial<Point>, figure: 'latency' | 'switching_per_expert') {
  return (
    rows: readonly (Point & { readonly latency: number | null; readonly switching_per_expert: number | null })[],
  ) => {
    const [dgx, rdu] = [machine, 'sn40l-node'].map((name) => rows.find(of({ ...point, machine: name }))?.[figure]);
    return dgx && rdu ? dgx / rdu : null;
  };
}

const overall = (batch: number, output: number) => ({ experts: tableExperts, routing: 'round-robin', batch, output });
const without = (output: number) => ({ experts: fewExperts, routing: 'uniform', batch: 1, output });
const table = 'SN40L, MICRO 2024, table V';

export default study({
  name: 'coe',
  about:
    'A composition of experts on an SN40L node, a DGX A100 and a DGX H100: switching, execution, and how many there is room for',
  parameters: {
    machine: ['sn40l-node', 'dgx-a100', 'dgx-h100'],
    batch: [1, 8],
    output: [20, 200],
    routing: ['uniform', 'round-robin'],
    experts: counts,
  },
  skip: ({ experts, batch, output, routing }) => {
    if (experts === tableExperts) return false;
    if (routing === 'round-robin') return true;
    return experts === fewExperts ? false : batch !== 8 || output !== 20;
  },
  inputs: ({ machine, experts, batch, output, routing }: Point): Inputs => {
    const kind = routing as 'uniform' | 'round-robin';
    const choice = new ExpertChoice({ kind });
    return { arch: loadArch(machine), composition: workload.merge({ experts, batch, output, choice, batches: 100 }) };
  },
  run: ({ arch, composition }: Inputs): Outputs => {
    const { expert, share, experts } = composition;
    const each = weightBytesOf(expert, share, expert.layers, true);
    const most = machineTiers(arch).far.reduce((sum, { capacity }) => sum + Math.floor(capacity / each), 0);
    return {
      result: experts > most ? null : simulateComposition({ arch, composition: { workload: composition } }),
      most,
    };
  },
  metrics: ({ result, most }: Outputs, { batch, output, routing }: Point) => {
    const batches = result?.experts?.batches ?? [];
    const late = batches.slice(Math.floor(batches.length / 2));
    const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
    const mean = (figure: (batch: (typeof late)[number]) => number) =>
      late.length > 0 ? sum(late.map(figure)) / late.length : null;
    const latency = mean(({ router, switching, execution }) => router + switching + execution);
    const missing = mean((one) => one.misses / one.requests);
    // Of the sweep over experts, for charts.
    const isSwept = batch === 8 && output === 20 && routing === 'uniform';
    const misses = sum(late.map((batch) => batch.misses));
    return {
      latency,
      router: mean(({ router }) => router),
      switching: mean(({ switching }) => switching),
      execution: mean(({ execution }) => execution),
      missing,
      switching_per_expert: misses > 0 ? sum(late.map(({ switching }) => switching)) / misses : null,
      rooms: result?.experts?.rooms ?? null,
      most_experts: most,
      latency_swept: isSwept ? latency : null,
      missing_swept: isSwept ? missing : null,
    };
  },
  units: { latency: 's', latency_swept: 's', router: 's', switching: 's', execution: 's', switching_per_expert: 's' },
  claims: [
    ...(
      [
        ['8 requests, 20 tokens', overall(8, 20), 6.6, 3.7],
        ['1 request, 20 tokens', overall(1, 20), 4.8, 2.8],
        ['1 request, 20 tokens, all experts in HBM', without(20), 2, 1.5],
        ['8 requests, 200 tokens', overall(8, 200), 4.2, 2.7],
        ['1 request, 200 tokens', overall(1, 200), 3.9, 2.6],
        ['1 request, 200 tokens, all experts in HBM', without(200), 3.2, 2.3],
      ] as const
    ).flatMap(([text, point, a100, h100]) => [
      {
        text: `Faster than a DGX A100: ${text}`,
        source: table,
        target: a100,
        measured: ratio('dgx-a100', point, 'latency'),
      },
      {
        text: `Faster than a DGX H100: ${text}`,
        source: table,
        target: h100,
        measured: ratio('dgx-h100', point, 'latency'),
      },
    ]),
    {
      text: 'Experts switch faster than on a DGX A100',
      source: table,
      target: 31,
      measured: ratio('dgx-a100', overall(1, 20), 'switching_per_expert'),
    },
    {
      text: 'Experts switch faster than on a DGX H100 (15 in the table, 16 in the text)',
      source: table,
      target: 15,
      measured: ratio('dgx-h100', overall(1, 20), 'switching_per_expert'),
    },
    {
      text: 'Experts that a DGX has room for in HBM, before it slows down',
      source: 'SN40L, MICRO 2024, section VI ("about 50")',
      target: 50,
      measured: (rows) => rows.find(of({ machine: 'dgx-a100', experts: tableExperts }))?.rooms ?? null,
    },
    {
      text: 'Experts that a DGX has room for, before it is out of memory',
      source: 'SN40L, MICRO 2024, section VI',
      target: 150,
      measured: (rows) => rows.find(of({ machine: 'dgx-a100' }))?.most_experts ?? null,
    },
    {
      text: 'Experts that an SN40L node has room for',
      source: 'SN40L, MICRO 2024, section VI ("up to 850")',
      target: 850,
      measured: (rows) => rows.find(of({ machine: 'sn40l-node' }))?.most_experts ?? null,
    },
    {
      text: 'DGX nodes that have 850 experts in HBM',
      source: 'SN40L, MICRO 2024, section VI',
      target: 19,
      measured: (rows) => {
        const rooms = rows.find(of({ machine: 'dgx-a100', experts: tableExperts }))?.rooms;
        return rooms ? Math.ceil(850 / rooms) : null;
      },
    },
  ],
  charts: [
    { kind: 'curve', x: 'experts', y: 'latency_swept', by: 'machine', log: 'xy' },
    { kind: 'curve', x: 'experts', y: 'missing_swept', by: 'machine', log: 'x' },
  ],
});
