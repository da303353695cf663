/** What a machine such as arch/step.yaml says of expert regions and the memory they share. */
import type { Arch, Rate, ScratchpadPart, Span, VectorPart } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { bytesPerSecond, expandParts, memoriesOf } from '../../arch/language/parts.ts';

/** In cycles of the units' clock. */
export interface StepMachine {
  readonly clock: { readonly name: string; readonly hertz: number };
  readonly memory: {
    readonly channels: number;
    /** Bytes of a request, of which a loader sends one in each cycle. */
    readonly requestBytes: number;
    /** Cycles of a channel for each. */
    readonly interval: number;
    readonly latency: number;
  };
  /** Bytes that a unit reads or writes in a cycle. */
  readonly padBytes: number;
  /** Operations of a unit in a cycle; a multiply-add is two. */
  readonly flops: number;
  /** Of SiLU, for an element. */
  readonly activationFlops: number;
}

/** @throws InputError when the machine lacks a part, or has one whose figures are no whole cycles */
export function stepMachine(arch: Arch): StepMachine {
  const parts = expandParts(arch).map(({ part }) => part);
  const wrong = (what: string): InputError => new InputError({ message: `machine ${arch.name} ${what}` });
  const unit = parts.find((part): part is VectorPart => part.kind === 'vector');
  const pad = parts.find((part): part is ScratchpadPart => part.kind === 'scratchpad');
  const loader = parts.find((part) => part.kind === 'dma');
  const hbm = memoriesOf(arch).find(({ part }) => part.model === 'ideal');
  if (!unit || !pad || !loader || !hbm)
    throw wrong('has no expert region: it needs a vector unit, a scratchpad, a dma and an ideal memory');
  const hertz = arch.clocks.get(unit.clock) ?? Number.NaN;
  const rate: Rate | null = loader.bandwidth;
  if (rate === null) throw wrong('has a dma without a bandwidth, which is what a request takes in a cycle');
  const requestBytes = bytesPerSecond(rate, hertz) / hertz;
  const interval = (requestBytes * hertz) / hbm.part.bandwidth;
  const latency = cyclesOf(hbm.part.latency, hertz);
  const figures = { requestBytes, 'cycles of a channel for a request': interval, 'cycles of latency': latency };
  for (const [name, figure] of Object.entries(figures))
    if (!Number.isSafeInteger(figure) || figure < 1) throw wrong(`has ${figure} ${name}, not a whole number from 1`);
  const [mac, sigmoid] = ['mac', 'sigmoid'].map((name) => unit.operations.get(name)?.cycles);
  if (mac === undefined || sigmoid === undefined) throw wrong('has a vector unit that does no mac or no sigmoid');
  return {
    clock: { name: unit.clock, hertz },
    memory: { channels: hbm.count, requestBytes, interval, latency },
    padBytes: pad.width * pad.banks,
    flops: (2 * unit.lanes) / mac,
    activationFlops: (2 * sigmoid) / mac,
  };
}

function cyclesOf({ amount, unit }: Span, hertz: number): number {
  return unit === 'cycles' ? amount : Math.round(amount * hertz) / 1e12;
}
