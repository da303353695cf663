/**
 * A link in one direction, tick by tick: one packet at a time on the wires, credits that come back a latency after the
 * receiver's room is free, inputs that take turns. Times are whole ticks; written to be obviously right.
 */

export interface TickedLink {
  /** Ticks of a packet on the wires, by input. */
  readonly times: readonly number[];
  readonly latency: number;
  /** Packets that the receiver has room for. */
  readonly credits: number;
  /** Ticks that the receiver keeps a packet. */
  readonly hold: number;
  /** Packets in a turn, by input. */
  readonly weights: readonly number[];
  /** Ticks at which packets may leave, by input, in order. */
  readonly ready: readonly (readonly number[])[];
}

/** When each packet is received: input and tick, in order. */
export function tickLink({
  times,
  latency,
  credits,
  hold,
  weights,
  ready,
}: TickedLink): { input: number; at: number }[] {
  const waiting = ready.map((all) => [...all]);
  const received: { input: number; at: number }[] = [];
  const returns: number[] = [];
  let room = credits;
  let onWires = null as { input: number; end: number } | null;
  let turn = 0;
  let left = weights[0]!;
  const total = ready.reduce((sum, all) => sum + all.length, 0);
  for (let now = 0; received.length < total; now++) {
    if (onWires?.end === now) {
      received.push({ input: onWires.input, at: now + latency });
      returns.push(now + latency + hold + latency);
      onWires = null;
    }
    room += returns.filter((at) => at === now).length;
    if (onWires !== null || room === 0) continue;
    for (let step = 0; step < waiting.length; step++) {
      const input = (turn + step) % waiting.length;
      const first = waiting[input]![0];
      if (first === undefined || first > now) continue;
      if (step > 0) {
        turn = input;
        left = weights[input]!;
      }
      left--;
      if (left === 0) {
        turn = (input + 1) % waiting.length;
        left = weights[turn]!;
      }
      waiting[input]!.shift();
      room--;
      onWires = { input, end: now + times[input]! };
      break;
    }
  }
  return received;
}
