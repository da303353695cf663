/** A placed section as stages and channels in numbers. */
import { type PlacedBuffer, readsOf } from './buffers.ts';
import { cyclesOf, cyclesOfPs, perCycle, type RduDevice } from './device.ts';
import type { ChannelSpec, PipelineSpec, ServerSpec, StageSpec } from './pipeline-spec.ts';
import type { PlacedOperator } from './place.ts';

const memory = 0;
const link = 1;

/** Stages come in the order of the section: what an operator loads, the operator, what of its results is stored. */
export function specOf(
  operators: readonly PlacedOperator[],
  buffers: readonly PlacedBuffer[],
  device: RduDevice,
): PipelineSpec {
  const stages: StageSpec[] = [];
  const senders = new Map<string, number>();
  const at = new Map<string, number>();
  const byName = new Map(buffers.map((buffer) => [buffer.name, buffer]));
  const stream = (name: string, { tokens, tokenBytes, tensor }: PlacedBuffer): number => {
    const request = Math.min(device.part.agcu.coalesce, tensor.tensor.run);
    return (
      stages.push({ name, firings: tokens, interval: 0, server: memory, bytes: tokenBytes, request, latency: 0 }) - 1
    );
  };
  const stores = new Map<string, number>();
  for (const placed of operators) {
    for (const { tensor } of placed.operator.operands) {
      const buffer = byName.get(tensor);
      if (buffer?.tensor.load && !senders.has(tensor)) senders.set(tensor, stream(`load ${tensor}`, buffer));
    }
    const index = stages.push(stageOf(placed, byName, device)) - 1;
    at.set(placed.operator.name, index);
    for (const result of placed.operator.results) {
      senders.set(result, index);
      const buffer = byName.get(result);
      if (buffer?.tensor.store) stores.set(result, stream(`store ${result}`, buffer));
    }
  }
  const channels = buffers.flatMap((buffer) => {
    const from = senders.get(buffer.name);
    if (from === undefined) throw new Error(`nothing makes ${buffer.name}`);
    const producer = operators.find(({ operator }) => operator.results.includes(buffer.name));
    return buffer.uses.map(({ operator, use, credits }): ChannelSpec => {
      const to = operator === null ? stores.get(buffer.name) : at.get(operator);
      if (to === undefined) throw new Error(`nothing takes ${buffer.name}`);
      const hop = cyclesOf(device, device.part.network.hop);
      const send = (producer?.work.depth ?? 0) + hop + cyclesOf(device, device.part.pmu.latency);
      return {
        name: buffer.name,
        from,
        to,
        tokens: buffer.tokens,
        use,
        capacity: credits,
        send: Math.max(1, send),
        reply: Math.max(1, hop),
      };
    });
  });
  return { stages, channels, servers: serversOf(device) };
}

function stageOf(placed: PlacedOperator, buffers: ReadonlyMap<string, PlacedBuffer>, device: RduDevice): StageSpec {
  const { operator, firings, pcus, work } = placed;
  const { exchange, name } = operator;
  if (exchange !== null && device.link !== null) {
    const bytes = Math.ceil(exchange.bytes / firings);
    const latency = cyclesOfPs(device.hertz, exchange.rounds * device.link.latency);
    return { name, firings, interval: 0, server: link, bytes, request: device.part.agcu.coalesce, latency };
  }
  const computing = pcus === 0 ? 0 : Math.ceil(work.cycles / pcus);
  const read = perCycle(device, device.part.pmu.read);
  const write = perCycle(device, device.part.pmu.write);
  const moving = [
    ...operator.operands
      .toArray()
      .map(({ tensor }, i) => portCycles(buffers.get(tensor), firings, readsOf(placed, i), read)),
    ...operator.results.toArray().map((tensor) => portCycles(buffers.get(tensor), firings, 1, write)),
  ];
  return { name, firings, interval: Math.max(1, computing, ...moving), server: -1, bytes: 0, request: 0, latency: 0 };
}

/** Cycles in which a buffer's ports pass what an operator reads or writes of it in a firing. */
function portCycles(buffer: PlacedBuffer | undefined, firings: number, times: number, perPmu: number): number {
  if (buffer === undefined) return 0;
  const { tokens, tokenBytes, pmus } = buffer;
  const bytes = tokens > firings ? tokens * tokenBytes : tokenBytes;
  return Math.ceil((bytes * times) / (perPmu * pmus));
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
