/** Zod schemas of the quantities in `units.ts`: text or number in, base units out. */
import { z } from 'zod';
import {
  dtypes,
  parseArea,
  parseBytesPerSecond,
  parseCount,
  parseCrossing,
  parseDuration,
  parseEnergy,
  parseEnergyPerBit,
  parseFrequency,
  parseIntensity,
  parsePower,
  parseRate,
  parseRegisters,
  parseSize,
  parseSpan,
  UnitError,
} from './units.ts';

/** A schema around a parser that throws UnitError: `describe` of source.ts names the key in the message. */
export function parsed<I, T>(input: z.ZodType<I, I>, parse: (written: I) => T, examples: I[]) {
  return input
    .transform((written, context): T => {
      try {
        return parse(written);
      } catch (error) {
        if (!(error instanceof UnitError)) throw error;
        const { found, needs, hint } = error;
        context.issues.push({ code: 'custom', message: found, params: { needs, hint }, input: written });
        return z.NEVER;
      }
    })
    .meta({ examples });
}

const written = z.union([z.string(), z.number()]);

/** Bytes. */
export const size = parsed(written, parseSize, ['16 MiB']);
/** Rate, per cycle or per second. */
export const rate = parsed(written, parseRate, ['1 KiB/cycle', '1.8 TB/s']);
/** Bytes per second. */
export const bytesPerSecond = parsed(written, parseBytesPerSecond, ['400 GiB/s']);
/** Hertz. */
export const frequency = parsed(written, parseFrequency, ['940 MHz']);
/** Span: cycles or picoseconds. */
export const span = parsed(written, parseSpan, ['4 cycles', '100 ns']);
/** Picoseconds. */
export const duration = parsed(written, parseDuration, ['100 ns']);
/** A whole number from 1. */
export const count = parsed(written, parseCount, [256, '64 Ki']);
/** Joules. */
export const energy = parsed(written, parseEnergy, ['17.2 pJ']);
/** Joules per bit. */
export const energyPerBit = parsed(written, parseEnergyPerBit, ['3.9 pJ/bit']);
/** Watts. */
export const power = parsed(written, parsePower, ['66 mW']);
/** mm2. */
export const area = parsed(written, parseArea, ['1545 um2']);
/** Operations per byte. */
export const intensity = parsed(written, parseIntensity, ['8 Op/B']);
/** Registers. */
export const registers = parsed(z.string(), parseRegisters, ['16 x bf16']);
/** Cycles per row or column. */
export const crossing = parsed(z.string(), parseCrossing, ['1 cycle per row']);
/** Name of a data type. */
export const dtype = z.enum(dtypes as [string, ...string[]]).meta({ examples: ['bf16'] });
