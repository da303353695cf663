/**
 * What Duplex's simulator gives for a token of Mixtral 8x7B in fp16 on four devices that share heads: the median time of decode-only
 * iterations, as a roofline, in test/fixtures/pim/duplex.csv. expert_tp is 1 where it is not said: experts are on one device each.
 */
export const recordedSource =
  'caoslab-postech/LLMSimulator_HBF commit bbc4945, roofline, with the bandwidth of logic dies as in HeliosZhou/LLMSimulator';

/** `gpu`, `logic`: one of both sides; `both`: co-processing, `shared` with experts shared by all devices (expert_tp 4). Milliseconds. */
export const recorded: readonly {
  readonly Lin: number;
  readonly batch: number;
  readonly gpu: number;
  readonly logic: number;
  readonly both: number;
  readonly shared: number;
}[] = [
  { Lin: 256, batch: 32, gpu: 7.296, logic: 2.61, both: 2.61, shared: 2.175 },
  { Lin: 256, batch: 64, gpu: 7.524, logic: 4.552, both: 4.481, shared: 2.952 },
  { Lin: 256, batch: 128, gpu: 7.975, logic: 7.586, both: 4.362, shared: 4.267 },
  { Lin: 1024, batch: 32, gpu: 7.767, logic: 2.728, both: 2.728, shared: 2.293 },
  { Lin: 1024, batch: 64, gpu: 8.466, logic: 4.787, both: 4.716, shared: 3.188 },
  { Lin: 1024, batch: 128, gpu: 9.86, logic: 8.058, both: 4.833, shared: 4.738 },
  { Lin: 4096, batch: 32, gpu: 9.047, logic: 3.048, both: 3.048, shared: 2.612 },
  { Lin: 4096, batch: 64, gpu: 11.024, logic: 5.427, both: 5.356, shared: 3.828 },
  { Lin: 4096, batch: 128, gpu: 14.976, logic: 9.337, both: 6.112, shared: 6.018 },
];
