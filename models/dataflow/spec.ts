/** A placed section as stages and channels in numbers. */
import type { PlacedBuffer } from './buffers.ts';
import { cyclesOf, cyclesOfPs, type RduDevice } from './device.ts';
import type { ChannelSpec, PipelineSpec, ServerSpec, StageSpec } from './pipeline-spec.ts';
import type { PlacedOperator } from './place.ts';
import type { Flow, Routes } from './routes.ts';

const memory = 0;
const link = 1;

/** Stages come in the order of the section: what an operator loads, the operator, what of its results is stored. */
export function specOf(
  operators: readonly PlacedOperator[],
  buffers: readonly PlacedBuffer[],
  routes: Routes,
  device: RduDevice,
): PipelineSpec {
  const stages: StageSpec[] = [];
  const senders = new Map<string, number>();
  const at = new Map<string, number>();
  const byName = new Map(buffers.map((buffer) => [buffer.name, buffer]));
  const stream = (buffer: PlacedBuffer, isLoad: boolean): number => {
    const { name, tokens, tokenBytes, tensor } = buffer;
    const request = Math.min(device.part.agcu.coalesce, tensor.tensor.run);
    const interval = Math.ceil((flowOf(routes, name, null, isLoad)?.cycles ?? 0) / tokens);
    const shape = { firings: tokens, interval, server: memory, bytes: tokenBytes, request, latency: 0 };
    return stages.push({ name: `${isLoad ? 'load' : 'store'} ${name}`, ...shape }) - 1;
  };
  const stores = new Map<string, number>();
  for (const placed of operators) {
    for (const { tensor } of placed.operator.operands) {
      const buffer = byName.get(tensor);
      if (buffer?.tensor.load && !senders.has(tensor)) senders.set(tensor, stream(buffer, true));
    }
    const index = stages.push(stageOf(placed, routes, device)) - 1;
    at.set(placed.operator.name, index);
    for (const result of placed.operator.results) {
      senders.set(result, index);
      const buffer = byName.get(result);
      if (buffer?.tensor.store) stores.set(result, stream(buffer, false));
    }
  }
  const channels = buffers.flatMap((buffer) => channelsOf(buffer, ends(buffer)));
  return { stages, channels, servers: serversOf(device) };

  function ends(buffer: PlacedBuffer): ChannelEnds {
    const producer = operators.find(({ operator }) => operator.results.includes(buffer.name));
    const from = senders.get(buffer.name);
    if (from === undefined) throw new Error(`nothing makes ${buffer.name}`);
    const to = (operator: string | null): number => {
      const stage = operator === null ? stores.get(buffer.name) : at.get(operator);
      if (stage === undefined) throw new Error(`nothing takes ${buffer.name}`);
      return stage;
    };
    const hops = (operator: string | null, isInto: boolean): number =>
      routes.hop * (flowOf(routes, buffer.name, operator, isInto)?.hops ?? 1);
    const into = hops(producer?.operator.name ?? null, true);
    const given = (producer?.work.depth ?? 0) + into + cyclesOf(device, device.part.pmu.latency);
    return { from, to, given, into, out: (operator) => hops(operator, false) };
  }
}

/** Stages at the ends of a buffer, and the ways between in cycles. */
interface ChannelEnds {
  readonly from: number;
  readonly to: (operator: string | null) => number;
  /** From the end of its producer's work until a token can be read, and of that the way into it. */
  readonly given: number;
  readonly into: number;
  /** The way to a reader. */
  readonly out: (operator: string | null) => number;
}

function channelsOf({ name, tokens, uses }: PlacedBuffer, { from, to, given, into, out }: ChannelEnds): ChannelSpec[] {
  return uses.map(({ operator, use, credits }): ChannelSpec => {
    const there = out(operator);
    const ends = { from, to: to(operator) };
    // The token that says that there is room goes back all the way.
    return { name, ...ends, tokens, use, capacity: credits, send: given + there, reply: there + into };
  });
}

function flowOf({ flows }: Routes, tensor: string, operator: string | null, into: boolean): Flow | undefined {
  return flows.find((flow) => flow.tensor === tensor && flow.operator === operator && flow.into === into);
}

function stageOf(placed: PlacedOperator, routes: Routes, device: RduDevice): StageSpec {
  const { operator, firings, pcus, work } = placed;
  const { exchange, name } = operator;
  const moving = routes.flows.flatMap((flow) => (flow.operator === name ? [Math.ceil(flow.cycles / firings)] : []));
  if (exchange !== null && device.link !== null) {
    const bytes = Math.ceil(exchange.bytes / firings);
    const latency = cyclesOfPs(device.hertz, exchange.rounds * device.link.latency);
    const interval = Math.max(0, ...moving);
    return { name, firings, interval, server: link, bytes, request: device.part.agcu.coalesce, latency };
  }
  const computing = pcus === 0 ? 0 : Math.ceil(work.cycles / pcus);
  return { name, firings, interval: Math.max(1, computing, ...moving), server: -1, bytes: 0, request: 0, latency: 0 };
}

function serversOf(device: RduDevice): ServerSpec[] {
  const { hertz, part } = device;
  const { bandwidth, path, part: far } = device.memory;
  const { count, window } = part.agcu;
  const servers: ServerSpec[] = [
    { name: path, bytes: bandwidth, cycles: hertz, latency: cyclesOf(device, far.latency), window: count * window },
  ];
  if (device.link) servers.push({ name: 'link', bytes: device.link.bandwidth, cycles: hertz, latency: 0, window: 1 });
  return servers;
}
