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
      if (performance.now() - started < patience) return;
      if (process.stderr.isTTY) {
        if (!bar) {
          bar = new SingleBar(
            { format: '{bar} {percentage} %  {eta_formatted} left', stream: process.stderr },
            Presets.shades_classic,
          );
          bar.start(1, fraction);
        }
        bar.update(fraction);
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
