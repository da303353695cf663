import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinkMessage, PacketLinkPart } from '../../../arch/language/fabric.ts';
import { parseArch } from '../../../arch/language/load.ts';
import { partAt } from '../../../arch/language/parts.ts';
import { Agenda } from '../../../models/fabric/agenda.ts';
import { FlitWire } from '../../../models/fabric/flits.ts';
import { data, done, write } from '../../../models/fabric/packets.ts';
import { PacketWire, type Receiver, type Wire } from '../../../models/fabric/wire.ts';
import { tickLink } from '../../reference/link-ticks.ts';

/** A link of one byte in a picosecond, with headers of nothing. */
function plainLink(latency: number, credits: number | null): PacketLinkPart {
  const message = new LinkMessage({ payload: 1 << 20, credits });
  return new PacketLinkPart({ rate: 8e12, latency }).setIn(['messages', 'write'], message);
}

/** Remembers what comes, and keeps each packet for a while. */
class Sink implements Receiver {
  readonly received: { flow: number; at: number; tag: number }[] = [];
  readonly hold: number;

  constructor(hold = 0) {
    this.hold = hold;
  }

  receive(now: number, wire: Wire, flow: number, kind: number, bytes: number, tag: number): void {
    this.received.push({ flow, at: now, tag });
    wire.release(now + this.hold, kind, bytes);
  }
}

function standard(name: string): PacketLinkPart {
  const text = `machine: m\nclocks: { core: 1 GHz }\nparts: { link: { use: link/${name} } }\n`;
  const part = partAt(parseArch(text, 'm.yaml'), 'link');
  if (part?.kind !== 'packet-link') throw new Error(name);
  return part;
}

describe('one direction of a link', () => {
  it('sends when the ticking one does, whoever waits, with credits and turns', () => {
    const inputs = fc.array(
      fc.record({
        time: fc.integer({ min: 1, max: 9 }),
        weight: fc.integer({ min: 1, max: 3 }),
        ready: fc.array(fc.nat(60), { minLength: 1, maxLength: 12 }).map((all) => all.toSorted((a, b) => a - b)),
      }),
      { minLength: 1, maxLength: 4 },
    );
    const [latency, credits, hold] = [fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5 }), fc.nat(10)];
    const property = fc.property(inputs, latency, credits, hold, (all, delay, room, kept) => {
      const agenda = new Agenda();
      const wire = new PacketWire(agenda, 'wire', plainLink(delay, room));
      const sink = new Sink(kept);
      wire.connect(sink, null);
      const made = all.map(({ weight }) => wire.input(weight));
      agenda.start();
      all.forEach(({ ready, time }, i) => {
        for (const at of ready) made[i]!.push(at, i, write, time, 0);
      });
      agenda.run();
      const expected = tickLink({
        ...{ times: all.map(({ time }) => time), latency: delay, credits: room, hold: kept },
        ...{ weights: all.map(({ weight }) => weight), ready: all.map(({ ready }) => ready) },
      });
      expect(sink.received.map(({ flow, at }) => ({ input: flow, at }))).toEqual(expected);
    });
    fc.assert(property, { seed: 8, numRuns: 300 });
  });

  it('carries as much as the wires do, or the credits in a round trip, whichever is less', () => {
    const [bytes, latency, hold, packets] = [10, 40, 15, 2000];
    for (const credits of [1, 2, 5, 8, 10, 11, 12, 20]) {
      const agenda = new Agenda();
      const wire = new PacketWire(agenda, 'wire', plainLink(latency, credits));
      const sink = new Sink(hold);
      wire.connect(sink, null);
      const input = wire.input();
      agenda.start();
      for (let i = 0; i < packets; i++) input.push(0, 0, write, bytes, 0);
      agenda.run();
      const roundTrip = bytes + latency + hold + latency;
      // Between packets that are a multiple of the credits apart: exactly.
      const first = sink.received[0]!.at;
      const last = sink.received[credits * 50]!.at;
      expect(last - first).toBe(Math.max(credits * 50 * bytes, 50 * roundTrip));
    }
  });

  it('makes Poisson arrivals wait as M/D/1 says, and obeys Little exactly', () => {
    const [service, load, packets] = [1000, 0.7, 200000];
    let seed = 12345;
    const random = (): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return (seed + 0.5) / 2 ** 32;
    };
    const agenda = new Agenda();
    const wire = new PacketWire(agenda, 'wire', plainLink(1, null));
    const sink = new Sink();
    wire.connect(sink, null);
    const input = wire.input();
    agenda.start();
    const arrivals: number[] = [];
    let clock = 0;
    for (let i = 0; i < packets; i++) {
      clock += (-Math.log(random()) * service) / load;
      arrivals.push(Math.round(clock));
      input.push(Math.round(clock), 0, write, service, i);
    }
    agenda.run();
    const mean = wire.waited / packets;
    expect(mean / ((load * service) / (2 * (1 - load)))).toBeCloseTo(1, 1.5);
    // Packets in the system over time, added up event by event, are the times that packets spend there.
    const ends = sink.received.map(({ at }) => at - 1);
    const events = [...arrivals.map((at) => [at, 1] as const), ...ends.map((at) => [at, -1] as const)];
    events.sort((a, b) => a[0] - b[0]);
    let [area, inside, before] = [0, 0, 0];
    for (const [at, change] of events) {
      area += inside * (at - before);
      inside += change;
      before = at;
    }
    const spent = ends.reduce((sum, end, i) => sum + end - arrivals[i]!, 0);
    expect(area).toBe(spent);
    expect(wire.waited).toBe(spent - packets * service);
  });

  it('shares wires by weight as long as all wait', () => {
    const agenda = new Agenda();
    const wire = new PacketWire(agenda, 'wire', plainLink(1, null));
    const sink = new Sink();
    wire.connect(sink, null);
    const inputs = [1, 3].map((weight) => wire.input(weight));
    agenda.start();
    inputs.forEach((input, flow) => {
      for (let i = 0; i < 400; i++) input.push(0, flow, write, 10, 0);
    });
    agenda.run();
    expect(sink.received.slice(0, 400).filter(({ flow }) => flow === 1)).toHaveLength(300);
  });
});

describe('flits of 68 bytes', () => {
  const bytesFor = (kind: number, count: number): number => {
    const agenda = new Agenda();
    const part = standard('cxl-2-x16');
    const wire = new FlitWire(agenda, 'wire', part.setIn(['messages', 'write', 'credits'], null), part.flit!);
    wire.connect(new Sink(), null);
    const input = wire.input();
    agenda.start();
    for (let i = 0; i < count; i++) input.push(0, 0, kind, 64, 0);
    agenda.run();
    expect(wire.received).toBe(count);
    return wire.server.bytes;
  };

  it('carry eight lines of read data in nine, two headers in a slot, and four lines of writes in five', () => {
    expect(bytesFor(data, 800)).toBe(900 * 68);
    expect(bytesFor(write, 800)).toBe(1000 * 68);
  });

  it('carry eight acknowledgements each', () => {
    expect(bytesFor(done, 800)).toBe(100 * 68);
  });

  it('leave half empty when there is nothing more to send', () => {
    expect(bytesFor(data, 1)).toBe(2 * 68);
    expect(bytesFor(done, 1)).toBe(68);
  });
});

describe('frames of PCI Express', () => {
  it('take 280 bytes for a write of 256, at 130 bits for 128 and an ordered set in 376 blocks', () => {
    const agenda = new Agenda();
    const part = standard('pcie-5-x16').setIn(['messages', 'write', 'credits'], null);
    const wire = new PacketWire(agenda, 'wire', part.setIn(['messages', 'write', 'buffer'], null));
    const sink = new Sink();
    wire.connect(sink, null);
    const input = wire.input();
    agenda.start();
    const count = 24000;
    for (let i = 0; i < count; i++) input.push(0, 0, write, 256, 0);
    agenda.run();
    // 15.869140625 ps x 376 / 375 for each byte on the wires.
    const time = (count * 280 * 15.869140625 * 376) / 375;
    expect(sink.received.at(-1)!.at).toBe(Math.floor(time) + part.latency);
  });
});
