/** What `clockwright show` says of links at packet level, switches and hosts. */
import type { FabricPart } from './arch.ts';
import { linkRate } from './fabric.ts';

/** How the page writes quantities. */
interface Words {
  readonly bytes: (amount: number) => string;
  readonly time: (ps: number) => string;
  readonly counted: (count: number, noun: string) => string;
}

export function fabricFacts(part: FabricPart, { bytes, time, counted }: Words): string[] {
  switch (part.kind) {
    case 'packet-link': {
      const units = part.flit ? `flits of ${bytes(part.flit.bytes)}` : `packets with ${bytes(part.frame)} of framing`;
      const most = part.messages.get('data')?.payload ?? 0;
      return [
        counted(part.lanes, 'lane'),
        `${bytes(linkRate(part))}/s each way on the wire`,
        units,
        `payload up to ${bytes(most)}`,
        `latency ${time(part.latency)}`,
      ];
    }
    case 'switch': {
      const weights = [...part.weights].map(([name, weight]) => `${name} ${weight}`);
      return [`latency ${time(part.latency)}`, weights.length > 0 ? `weights ${weights.join(', ')}` : 'round-robin'];
    }
    case 'device':
      return [`setup ${time(part.setup)}`];
    case 'host':
      return [
        counted(part.lanes, 'lane'),
        `${counted(part.outstanding, 'line')} under way`,
        ...(part.cache ? [`cache ${bytes(part.cache.capacity)}, ${bytes(part.cache.bandwidth)}/s`] : []),
        `pages of ${bytes(part.page)}`,
      ];
  }
}
