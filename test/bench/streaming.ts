import { attentionGraph } from '../../models/streaming/attention.ts';
import { runStream } from '../../models/streaming/graph.ts';
import { cpuSeconds, type Row, type Section } from './harness.ts';

function rows(): Row[] {
  const graph = attentionGraph('online', 2048, { depth: 22 });
  const { tokens } = runStream(graph);
  const every = cpuSeconds(() => () => runStream(graph, true), 3);
  const long = attentionGraph('online', 32768, { depth: 22 });
  const skipping = cpuSeconds(() => () => runStream(long));
  return [
    { name: 'online attention of 2,048 tokens, every row', figure: tokens / every / 1e6, unit: 'M hops/s' },
    {
      name: 'of 32,768 tokens, 2.1 billion cycles, rows skipped exactly',
      figure: skipping,
      unit: 'CPU s',
      target: { atMost: 60 },
      peer: 'stream-attn-dam: 12,642 s',
    },
  ];
}

export const section: Section = { title: 'streaming: attention on bounded FIFOs', rows };
