/** Copies from CXL memory, packet by packet and flit by flit. */
import { loadArch } from '../../index.ts';
import { Layout } from '../../models/fabric/layout.ts';
import { System } from '../../models/fabric/system.ts';
import { hostTopology } from '../../models/fabric/topology.ts';
import { cpuSeconds, type Section } from './harness.ts';

const bytes = 2 ** 26;
const topology = hostTopology(loadArch('cxl-host'));

function copy(size: number): System {
  const layout = new Layout(4096, [{ target: 1, pages: 1 }]);
  return new System(topology, [{ device: 'gpu[0]', copy: { isWrite: false, bytes: size, layout, kept: 0 } }]);
}

export const section: Section = {
  title: 'Links: copies of a GPU from a CXL card',
  rows: () => {
    const all = cpuSeconds(() => {
      const system = copy(bytes);
      return () => system.run({ fastForward: false });
    }, 3);
    const long = cpuSeconds(() => {
      const system = copy(2 ** 36);
      return () => system.run();
    }, 3);
    // Over both links: a request and two packets of data of 512 bytes, a request and a line of 64.
    const packets = (bytes / 512) * 3 + (bytes / 64) * 2;
    return [
      { name: 'packets, every one', figure: packets / all / 1e6, unit: 'M packets/s' },
      { name: '64 GiB, what repeats passed over', figure: long, unit: 's' },
    ];
  },
};
