/** What links carry of data, beside what is published of them: rates that come of frames, flits and credits. */
import { loadPlacement, parseArch, parseStream, simulateStreams, study } from '../../index.ts';

const links = [
  'pcie-3-x16',
  'pcie-4-x16',
  'pcie-5-x16',
  'pcie-6-x16',
  'cxl-1-x16',
  'cxl-2-x16',
  'cxl-3-x16',
  'nvlink-2',
  'ethernet-100g',
  'infiniband-hdr',
] as const;
type Link = (typeof links)[number];

interface Point {
  readonly link: Link;
  readonly direction: 'read' | 'write';
}

/** A host whose memories are no limit, with a device at the end of the link or, for links to memory, with such a memory there. */
function machine(link: Link): string {
  const memory = 'kind: memory, model: ideal, bandwidth: 1 TB/s, latency: 90 ns, capacity: 1 TiB';
  const isMemory = link.startsWith('cxl');
  // What the memory's link carries comes through one for devices that is no limit.
  const wide = 'lanes: 16, rate: 400 Gb/s, latency: 10 ns, tags: 256, request: 512 B';
  const messages =
    'read: { header: 16 B }, write: { header: 16 B, payload: 256 B }, data: { header: 16 B, payload: 256 B }';
  return `machine: two-ends
clocks: { core: 1 GHz }
parts:
  host: { kind: host, lanes: 1, operations: { add: 1 }, outstanding: 256, latency: 30 ns }
  dram: { ${memory} }
  link: { use: link/${link} }
${isMemory ? `  far: { ${memory} }\n  wide: { kind: packet-link, ${wide}, messages: { ${messages} } }` : ''}
  device: { kind: device }
links:
  - host <-> dram
  - host <-> device via ${isMemory ? 'wide' : 'link'}
${isMemory ? '  - host <-> far via link' : ''}
`;
}

const place = { local: loadPlacement('host-local'), far: loadPlacement('links-far') };

function simulated({ link, direction }: Point) {
  const arch = parseArch(machine(link), 'two-ends.yaml');
  const way = direction === 'read' ? 'to device' : 'to host';
  const text = `workload: stream\ntensors: { data: 16 MiB }\nsteps:\n  - { copy: data, direction: ${way} }\n`;
  const workload = parseStream(text, 'stream.yaml');
  return simulateStreams({ arch, workload, mapping: link.startsWith('cxl') ? place.far : place.local });
}

type Row = Point & { readonly GBps: number };

const GiB = 2 ** 30 / 1e9;
const published: readonly (readonly [Link, Point['direction'], number, string, string, number?])[] = [
  ['pcie-3-x16', 'read', 12, 'A single link of PCIe 3, GB/s', 'ZeRO-Infinity, SC 2021, slides', 0.1],
  [
    'pcie-5-x16',
    'read',
    51.77 * GiB,
    'Copy to a GPU over PCIe 5 x16, GB/s',
    'DandinPower/CXL-Aware-LLM-Finetuning, 2 GiB',
  ],
  [
    'pcie-5-x16',
    'write',
    51.69 * GiB,
    'Copy from a GPU over PCIe 5 x16, GB/s',
    'DandinPower/CXL-Aware-LLM-Finetuning, 2 GiB',
  ],
  [
    'cxl-2-x16',
    'read',
    49.73 * GiB,
    'Reads of a CXL card by two GPUs, GB/s',
    'DandinPower/CXL-Aware-LLM-Finetuning, 2 GiB',
  ],
  [
    'nvlink-2',
    'write',
    (25 * 256) / 272,
    'NVLink: 256 B of data in 17 flits of 16 B, GB/s',
    'Foley and Danskin, IEEE Micro 37(2), 2017',
  ],
  [
    'ethernet-100g',
    'write',
    (12.5 * 1460) / 1538,
    '100 Gb/s Ethernet: 94.9 % is TCP payload, GB/s',
    'IEEE 802.3: 1,460 of 1,538 B',
  ],
];

export default study({
  name: 'links',
  about: 'Data that links carry in one direction, against what is on their wires',
  parameters: { link: links, direction: ['read', 'write'] },
  inputs: (point): Point => point,
  run: (point: Point) => {
    const { streams = [], links: used = [] } = simulated(point);
    const busiest = used
      .filter(({ name }) => name.startsWith('link '))
      .toSorted((a, b) => b.wireBytes - a.wireBytes)[0];
    return { bandwidth: streams[0]?.bandwidth ?? 0, wire: busiest?.wireBandwidth ?? 0 };
  },
  metrics: ({ bandwidth, wire }: { bandwidth: number; wire: number }) => ({
    GBps: bandwidth / 1e9,
    wire_GBps: wire / 1e9,
    efficiency: bandwidth / wire,
  }),
  units: { GBps: 'GB/s', wire_GBps: 'GB/s' },
  claims: published.map(([link, direction, target, text, source, within = 0.05]) => ({
    ...{ text, source, target, within },
    measured: (rows: readonly Row[]) =>
      rows.find((row) => row.link === link && row.direction === direction)?.GBps ?? null,
  })),
});
