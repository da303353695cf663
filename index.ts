/** Clockwright as a library: describe a machine and a workload, run one on the other, report. */
export * from './arch/language/arch.ts';
export { type Diagnostic, InputError, type Place } from './arch/language/diagnostics.ts';
export type { DramDevice } from './arch/language/dram/device.ts';
export { findStandard } from './arch/language/dram/find.ts';
export { deviceOf } from './arch/language/dram/resolve.ts';
export { version } from './arch/language/library.ts';
export { loadArch, parseArch } from './arch/language/load.ts';
export { findSsd } from './arch/language/ssd/find.ts';
export { SsdPart, ssdCapacity, ssdPeaks } from './arch/language/ssd/part.ts';
export { study } from './cli/study-script.ts';
export { bind } from './models/binding/bind.ts';
export { Program } from './models/binding/program.ts';
export { type SimulateCompositionOptions, simulateComposition } from './models/composition/simulate.ts';
export { cascadeGraph } from './models/dataflow/cascade-graph.ts';
export { DataflowGraph } from './models/dataflow/graph.ts';
export { languageGraph } from './models/dataflow/language-graph.ts';
export { type GraphRun, GraphRunner, runGraph } from './models/dataflow/run.ts';
export { type SimulateDataflowOptions, simulateDataflow } from './models/dataflow/simulate.ts';
export { type StreamOptions, simulateStreams } from './models/fabric/simulate.ts';
export { DeadlockError } from './models/kernel/kernel.ts';
export {
  type Figures,
  type Objective,
  type SearchOptions,
  type SearchOutcome,
  type SearchProgress,
  searchMapping,
} from './models/mapper/mapper.ts';
export { PimChannel, type PimChannelOptions, type PimListener } from './models/memory/pim/channel.ts';
export { type PimResult, type PimRunOptions, runPhases, runPim } from './models/memory/pim/run.ts';
export type { BlockDevice, Done } from './models/memory/ssd/port.ts';
export { buildSsds } from './models/memory/ssd/raid.ts';
export {
  type LatencyFigures,
  runSsd,
  type SsdCounters,
  type SsdResult,
  type SsdRunOptions,
} from './models/memory/ssd/run.ts';
export { Generator, ListedRequests, type RequestSource } from './models/memory/ssd/sources.ts';
export type { Result } from './models/result.ts';
export { type ServeOptions, type ServingRecord, serve } from './models/serving/serve.ts';
export { type SimulateServingOptions, simulateServing } from './models/serving/simulate.ts';
export { type SimulateOptions, simulate } from './models/simulate.ts';
export {
  type AttentionKind,
  type AttentionOptions,
  attentionGraph as streamingAttention,
} from './models/streaming/attention.ts';
export { type ChannelSpec, runStream, type StreamGraph, type StreamResult } from './models/streaming/graph.ts';
export { type MoeLayer, type MoeRun, type MoeTiling, runMoeLayer } from './models/streaming/moe-layer.ts';
export type { OperatorSpec } from './models/streaming/operator.ts';
export { type RingMachine, runSubLayer, type SubLayer } from './models/streaming/ring.ts';
export { ringMachine } from './models/streaming/ring-machine.ts';
export { type StepMachine, stepMachine } from './models/streaming/step-machine.ts';
export type { Chart, Claim } from './models/study/definition.ts';
export { geometricMean, mean, powersOf } from './models/study/statistics.ts';
export { Study } from './models/study/study.ts';
export { type Allocation, allocate, type Lifetime, liveBytes } from './models/tiers/allocate.ts';
export { TierCache } from './models/tiers/cache.ts';
export { Copies } from './models/tiers/copies.ts';
export { type FilledTier, placeTensors, type Tier, type TieredTensor } from './models/tiers/place.ts';
export { htmlReport } from './reports/html.ts';
export { toJson } from './reports/json.ts';
export { type LayerReport, layerReports, layerTable } from './reports/layers.ts';
export { summary } from './reports/terminal.ts';
export { perfettoTrace } from './reports/trace.ts';
export { readAimTrace } from './workloads/import/pim/aim-trace.ts';
export { readAttAccTrace } from './workloads/import/pim/attacc-trace.ts';
export { loadScaleSim, type ScaleSimRun } from './workloads/import/scalesim/load.ts';
export {
  DataflowMapping,
  type LoadedDataflowMapping,
  loadDataflowMapping,
  parseDataflowMapping,
} from './workloads/language/dataflow-mapping.ts';
export { evaluate, randomInputs } from './workloads/language/evaluate.ts';
export { loadWorkload, parseWorkload } from './workloads/language/load.ts';
export { type LoadedMapping, loadMapping, Mapping, parseMapping } from './workloads/language/mapping.ts';
export { mappingText } from './workloads/language/mapping-text.ts';
export { type PimProgram, repeat as pimRepeat } from './workloads/language/pim-program.ts';
export {
  type LoadedPlacement,
  loadPlacement,
  Placement,
  PlaceRule,
  parsePlacement,
} from './workloads/language/placement.ts';
export {
  checkServing,
  type Footprint,
  fits,
  type LayoutLoss,
  layoutLosses,
} from './workloads/language/serving-check.ts';
export {
  type LoadedServingMapping,
  loadServingMapping,
  parseServingMapping,
  placementOf,
  ServingMapping,
} from './workloads/language/serving-mapping.ts';
export {
  CopyStep,
  type LoadedStream,
  LoopStep,
  loadStream,
  parseStream,
  StreamTensor,
  StreamWorkload,
} from './workloads/language/streaming.ts';
export { type LoadedWorkload, Workload } from './workloads/language/workload.ts';
export { type Batch, tokensOf } from './workloads/llm/batch.ts';
export { ChannelAssignment, type ChannelPolicy, subBatches } from './workloads/llm/channels.ts';
export { chosenExperts, ExpertChoice, ExpertComposition } from './workloads/llm/composition.ts';
export { describeComposition } from './workloads/llm/composition-describe.ts';
export { type LoadedComposition, loadComposition, parseComposition } from './workloads/llm/composition-load.ts';
export { describeServing } from './workloads/llm/describe.ts';
export { type ExpertShape, type ExpertTrace, expertTraceFiles, readExpertTrace } from './workloads/llm/expert-trace.ts';
export { type LoadedServing, loadServing, parseServing } from './workloads/llm/load.ts';
export { LlmModel } from './workloads/llm/model.ts';
export { loadModels, type ModelRow } from './workloads/llm/models.ts';
export { type Attended, bytes, flops, type Operator, opPerByte } from './workloads/llm/operator.ts';
export { embeddingOperators, layerOperators, lmHeadOperators, stageSend } from './workloads/llm/operators.ts';
export { expertTokens, Routing } from './workloads/llm/routing.ts';
export { type Arrival, type Served, ServingSchedule, servingStatistics } from './workloads/llm/schedule.ts';
export { cacheBytesPerToken, DeviceShare, shareMistake, weightBytesOf } from './workloads/llm/share.ts';
export { batchAt, batches, ServingWorkload, schedule, stageLayers } from './workloads/llm/workload.ts';
export { type AimOpcode, type AimOperands, aim, aimSync } from './workloads/pim/aim.ts';
export { type AttAccAttention, attaccAttention } from './workloads/pim/attacc.ts';
export {
  type AttentionJob,
  type AttentionJobs,
  type AttentionShape,
  attentionJobs,
  attentionRows,
} from './workloads/pim/attention.ts';
export { type Gemv, gemv } from './workloads/pim/gemv.ts';
export {
  type HbmPimElementwise,
  type HbmPimGemv,
  hbmPimElementwise,
  hbmPimGemv,
  withoutPim,
} from './workloads/pim/hbm-pim.ts';
