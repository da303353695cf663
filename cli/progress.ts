/** How far a run is, on standard error: a bar on a terminal, a line every tenth elsewhere, nothing for short runs. */
import { Presets, SingleBar } from 'cli-progress';

/** Milliseconds after which a run is worth a progress bar. */
const patience = 1000;

export interface Progress {
  update(fraction: number): void;
  stop(): void;
}

export function progress(): Progress {
  const started = performance.now();
  let bar: SingleBar | null = null;
  let tenths = 0;
  return {
    update(fraction) {
      const elapsed = performance.now() - started;
      if (elapsed < patience) return;
      if (process.stderr.isTTY) {
        bar ??= startBar();
        bar.update(fraction, { left: timeLeft(elapsed, fraction) });
      } else if (Math.floor(fraction * 10) > tenths) {
        tenths = Math.floor(fraction * 10);
        process.stderr.write(`${tenths * 10} %\n`);
      }
    },
    stop() {
      bar?.stop();
    },
  };
}

function startBar(): SingleBar {
  const bar = new SingleBar(
    // A run that is interrupted must leave the terminal as it was: nothing is switched off meanwhile.
    { format: '{bar} {percentage} %  {left}', stream: process.stderr, linewrap: true },
    Presets.shades_classic,
  );
  bar.start(1, 0, { left: '' });
  return bar;
}

/** What is left at the pace so far. */
function timeLeft(elapsed: number, fraction: number): string {
  const seconds = (elapsed / 1000) * (1 / fraction - 1);
  if (!Number.isFinite(seconds)) return '';
  return seconds < 100 ? `${Math.ceil(seconds)} s left` : `${Math.ceil(seconds / 60)} min left`;
}
