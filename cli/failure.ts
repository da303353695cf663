/** What a failed command says and exits with. */
import { InputError } from '../arch/language/diagnostics.ts';
import { DeadlockError } from '../models/kernel/kernel.ts';

/** The run went through, but what came out is wrong. */
export class RunFailure extends Error {}

/** 2 when the input is wrong, 1 when the run failed. */
export function exitCodeOf(error: unknown): number {
  return error instanceof InputError ? 2 : 1;
}

/** The user's mistakes in plain words; anything unforeseen with its stack, to be reported. */
export function messageOf(error: unknown): string {
  if (error instanceof InputError || error instanceof DeadlockError || error instanceof RunFailure)
    return error.message;
  return error instanceof Error ? `unexpected failure: ${error.stack}` : String(error);
}
