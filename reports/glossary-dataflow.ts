/** What the figures of pipelines on a grid mean. */
export const ofDataflow = {
  pipelines: {
    name: 'Pipelines',
    definition:
      'Sections of the graph, one after another. Each runs as one pipeline on the grid: its operators are stages that work at the same time, and tiles go from stage to stage.',
  },
  kernels: {
    name: 'Kernels',
    definition:
      'A run of a section is a kernel. It is launched before it runs, by the host (software) or by the unit itself (hardware); nothing else is done meanwhile.',
  },
  flopsPerByte: {
    name: 'Operations for each byte',
    definition:
      'Floating-point operations of the whole run over the bytes that went between the grid and its memory. A multiply-add is two operations.',
  },
  pipeline: { name: 'Section', definition: 'The block of the graph that it belongs to, and its operators.' },
  pipelineRuns: { name: 'Runs', definition: 'How often the section runs: once for each repeat of its block.' },
  pipelineCycles: {
    name: 'Cycles each',
    definition: 'Cycles of one run, from the first load to the end of the last store, without its launch.',
  },
  pipelineTiles: { name: 'Tiles', definition: 'Tiles that the streamed rank is cut into in one run.' },
  pipelineBottleneck: { name: 'Busiest', definition: 'The stage that was busy for the most cycles of a run.' },
  pipelineShare: { name: 'Of run', definition: 'All runs of the section, without launches, over the whole run.' },
  stageGrid: {
    name: 'Stages on the grid',
    definition:
      'The section that took longest of all. Each square is a site of the grid with its units, in the colour of the stage that they do; numbers are those of the stages in the order of the graph. Lines are links between sites, one for each direction: colour and width are the bytes that passed over what the link could carry in the run. What is not a mesh has one link into each site, drawn to its west, and one out of it, to its east.',
  },
  stageAccount: {
    name: 'Stages in order',
    definition:
      'Every cycle of each stage in one run of that section, counted once. Waiting for output is back-pressure: the buffer to the next stage is full. Beside it, busy cycles for each tile: from one tile to the next when nothing holds the stage up.',
  },
  stage: {
    name: 'Stage',
    definition:
      'An operator of the section, or what loads or stores a tensor, with its number in the order of the graph.',
  },
  stageKind: {
    name: 'Kind',
    definition:
      'Products and simd stages run on PCUs; a transpose is done by memory units as they are written and read; an exchange is with other devices; loads and stores go to and from memory.',
  },
  stageUnits: { name: 'PCUs', definition: 'Compute units that the stage has, all of which work on each of its tiles.' },
  stageTiles: { name: 'Tiles', definition: 'Tiles that the stage works on in one run.' },
  interval: {
    name: 'On the grid',
    definition:
      'Cycles from one tile to the next that units, ports and links of the grid take. Loads and stores also take their memory, exchanges their link to other devices: busy has whichever is longer.',
  },
} as const;
