/** Parts that move bytes between memories and devices: links at packet level, switches, hosts. Their values and schemas. */
import { Map, Record } from 'immutable';
import { z } from 'zod';
import type { OperationCost } from './arch.ts';
import { bytesPerSecond, count, duration, parsed, size } from './quantities.ts';
import { UnitError } from './units.ts';

/**
 * What links carry, whatever a standard calls it: requests for data (a PCIe memory read, M2S Req), data that are written
 * (a posted write, M2S RwD), data that were asked for (a completion, S2M DRS), and that a write is done (S2M NDR).
 */
export const messageNames = ['read', 'write', 'data', 'done'] as const;
export type MessageName = (typeof messageNames)[number];

/** How one kind of message goes over a link. */
export class LinkMessage extends Record<{
  /** Bytes before the payload; 0 where headers share slots. */
  header: number;
  /** Headers that share one slot: in the first slot of a flit, and in another one. Null: they take slots of their own. */
  first: number | null;
  other: number | null;
  /** Most bytes of data in one message; 0: it carries none. */
  payload: number;
  /** Messages, and bytes of payload, that the receiver has room for. Null: it always has. */
  credits: number | null;
  buffer: number | null;
}>({ header: 0, first: null, other: null, payload: 0, credits: null, buffer: null }, 'LinkMessage') {}

/** Fixed units that messages are cut into: `bytes` on the wire, of which `slots` x `slot` bytes carry messages. */
export class Flit extends Record<{
  bytes: number;
  slots: number;
  slot: number;
  /** `header`: the first slot has headers only; `header or data`: unless all slots have data; `any`: like the others. */
  first: 'header' | 'header or data' | 'any';
}>({ bytes: 0, slots: 1, slot: 1, first: 'any' }, 'Flit') {}

/** A link of one standard, at packet level; each direction has all of its lanes. */
export class PacketLinkPart extends Record<{
  kind: 'packet-link';
  count: number;
  lanes: number;
  /** Bits per second of a lane. */
  rate: number;
  /** Bits of data in so many bits on the wire. */
  data: number;
  wire: number;
  /** One block of so many is an ordered set that carries nothing; 0: none is. */
  skips: number;
  /** Picoseconds from the end of a packet or flit until the other end has it; credits take as long. */
  latency: number;
  /** Bytes around each packet: framing, sequence number, checksum. */
  frame: number;
  /** Null: packets go as they are. */
  flit: Flit | null;
  messages: Map<MessageName, LinkMessage>;
  /** Bytes that acknowledge a packet and give its credits back, on the wires of the other direction. */
  control: number;
  /** Requests of a device that may be under way, and bytes that one asks for at most. */
  tags: number;
  request: number;
}>(
  {
    kind: 'packet-link',
    count: 1,
    lanes: 1,
    rate: 0,
    data: 1,
    wire: 1,
    skips: 0,
    latency: 0,
    frame: 0,
    flit: null,
    messages: Map(),
    control: 0,
    tags: 1,
    request: 0,
  },
  'PacketLinkPart',
) {}

/** Forwards packets between links. Outputs take turns among inputs; an input with a weight has as many packets in a turn. */
export class SwitchPart extends Record<{
  kind: 'switch';
  count: number;
  latency: number;
  /** By the part that is reached over an input; 1 where none is given. */
  weights: Map<string, number>;
}>({ kind: 'switch', count: 1, latency: 0, weights: Map() }, 'SwitchPart') {}

/** Something with a copy engine, such as a GPU: reads and writes memory of the host over its link. */
export class DevicePart extends Record<{
  kind: 'device';
  count: number;
  /** Picoseconds before each copy: the driver's and its own. */
  setup: number;
}>({ kind: 'device', count: 1, setup: 0 }, 'DevicePart') {}

/** What a last-level cache keeps of data that are gone over again and again. */
export class HostCache extends Record<{
  /** Bytes that stay for the cores, and for what devices write. */
  capacity: number;
  io: number;
  /** Bytes per second, and picoseconds. */
  bandwidth: number;
  latency: number;
}>({ capacity: 0, io: 0, bandwidth: 0, latency: 0 }, 'HostCache') {}

/** Sockets with their cores as one vector unit, their cache, and their root complex. */
export class HostPart extends Record<{
  kind: 'host';
  count: number;
  clock: string;
  lanes: number;
  operations: Map<string, OperationCost>;
  /** Lines of 64 bytes that all cores together may wait for. */
  outstanding: number;
  cache: HostCache | null;
  /** Bytes of a page, the unit of interleaving. */
  page: number;
  /** Picoseconds from a port to the memory controller or another port. */
  latency: number;
}>(
  {
    kind: 'host',
    count: 1,
    clock: '',
    lanes: 1,
    operations: Map(),
    outstanding: 1,
    cache: null,
    page: 4096,
    latency: 0,
  },
  'HostPart',
) {}

function parseShare(text: string): readonly [number, number] {
  const match = /^(\d+)\s*\/\s*(\d+)$/.exec(text.trim());
  const [part, whole] = [Number(match?.[1]), Number(match?.[2])];
  if (match && part > 0 && part <= whole) return [part, whole];
  throw new UnitError(`"${text}" is no share`, undefined, 'such as 128/130');
}

const share = parsed(z.string(), parseShare, ['128/130']);

const message = z
  .strictObject({
    header: size.optional().describe('Bytes before the payload, without the frame'),
    first: count.optional().describe("Headers that share a flit's first slot"),
    other: count.optional().describe('Headers that share another slot'),
    payload: size.optional().describe('Most bytes of data in one; none when omitted'),
    credits: count.optional().describe('Messages that the receiver has room for; no limit when omitted'),
    buffer: size.optional().describe('Bytes of payload that the receiver has room for; no limit when omitted'),
  })
  .transform(
    ({ header = 0, first = null, other = null, payload = 0, credits = null, buffer = null }) =>
      new LinkMessage({ header, first, other, payload, credits, buffer }),
  )
  .meta({ examples: ['{ header: 16 B, payload: 256 B, credits: 64 }'] });

interface Common {
  use: z.ZodOptional<z.ZodString>;
  about: z.ZodOptional<z.ZodString>;
  source: z.ZodOptional<z.ZodString>;
  count: z.ZodDefault<typeof count>;
}

/** Schemas of the kinds above; `common` are the keys that all parts have, `operations` those of engines. */
export function fabricSchemas<O extends z.ZodType>(common: Common, clock: z.ZodOptional<z.ZodString>, operations: O) {
  return {
    'packet-link': z
      .strictObject({
        kind: z.literal('packet-link').describe('A link that carries packets or flits'),
        ...common,
        lanes: count.default(1).describe('Lanes of each direction'),
        rate: bytesPerSecond.describe('Of one lane, with all that is on the wire: 32 Gb/s'),
        encoding: share.prefault('1/1').describe('Bits of data in bits on the wire: 128/130'),
        skips: count.optional().describe('One block of so many is an ordered set that carries nothing'),
        latency: duration.describe('From the end of a packet or flit until the other end has it'),
        frame: size.optional().describe('Bytes around each packet: framing, sequence number, checksum'),
        flit: z
          .strictObject({
            bytes: size.describe('On the wire'),
            slots: count.describe('Units that messages are cut into'),
            slot: size.describe('Bytes of a slot'),
            first: z
              .enum(['header', 'header or data', 'any'])
              .default('any')
              .describe('What the first slot may have; "header or data": data only where all slots have them'),
          })
          .optional()
          .describe('Messages are cut into slots of flits; packets go as they are when omitted'),
        messages: z
          .strictObject({
            read: message.describe('Requests for data'),
            write: message.describe('Data that are written'),
            data: message.describe('Data that were asked for'),
            done: message.optional().describe('Acknowledgements of writes; links to memory have them'),
          })
          .describe('How requests, written data, data asked for, and acknowledgements of writes go'),
        control: size.optional().describe('Bytes that acknowledge a packet, on the wires of the other direction'),
        tags: count.default(256).describe('Requests of a device that may be under way'),
        request: size.default(512).describe('Most bytes that one request asks for'),
      })
      .describe('A link of some standard, packet by packet'),
    switch: z
      .strictObject({
        kind: z.literal('switch').describe('Forwards packets between links'),
        ...common,
        latency: duration.describe('From an input to an output'),
        weights: z
          .record(z.string(), count)
          .default({})
          .describe('Packets in a turn of the input from this part; 1 when omitted: round-robin'),
      })
      .describe('A switch of links'),
    device: z
      .strictObject({
        kind: z.literal('device').describe('Something with a copy engine, such as a GPU'),
        ...common,
        setup: duration.prefault('0 ns').describe('Before each copy'),
      })
      .describe('A device that copies from and to memory of the host'),
    host: z
      .strictObject({
        kind: z.literal('host').describe('CPU sockets: cores, cache, root complex'),
        ...common,
        clock,
        lanes: count.describe('Elements that all cores together work on at a time'),
        operations,
        outstanding: count.describe('Lines of 64 bytes that all cores together may wait for'),
        cache: z
          .strictObject({
            capacity: size.describe('Bytes that stay of what cores go over again and again'),
            io: size.describe('Bytes that stay of what devices write again and again'),
            bandwidth: bytesPerSecond.describe('Reads and writes together'),
            latency: duration.describe('From a request to its first byte'),
          })
          .optional()
          .describe('The last-level cache; none when omitted'),
        page: size.default(4096).describe('Bytes of a page, the unit of interleaving'),
        latency: duration.describe('From a port to a memory or another port'),
      })
      .describe('A host'),
  };
}

export type FabricSchemas = ReturnType<typeof fabricSchemas>;

type PacketLinkShape = z.output<FabricSchemas['packet-link']>;

export function packetLinkOf(shape: PacketLinkShape): PacketLinkPart {
  const { encoding, flit, messages, rate, skips = 0, frame = 0, control = 0 } = shape;
  const known = Object.entries(messages).filter((entry) => entry[1] !== undefined);
  const [data, wire] = encoding;
  return new PacketLinkPart({
    ...{ count: shape.count, lanes: shape.lanes, rate: 8 * rate, data, wire, skips, latency: shape.latency },
    ...{ frame, flit: flit ? new Flit(flit) : null, control, tags: shape.tags, request: shape.request },
    messages: Map(known as [MessageName, LinkMessage][]),
  });
}

/** Bytes per second on the wires of one direction, without what encoding and ordered sets take. */
export function linkRate({ lanes, rate, data, wire, skips }: PacketLinkPart): number {
  return (((lanes * rate) / 8) * data * (skips > 0 ? (skips - 1) / skips : 1)) / wire;
}
