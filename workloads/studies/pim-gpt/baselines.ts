/**
 * What PIM-GPT is compared with: an NVIDIA T4 and an Intel Xeon Gold 6154, each running a model in a framework, one request
 * at a time. The paper measured both; how they were set up was not at hand. Everything here is data with a source or an
 * assumption, none of it fitted to the paper's ratios.
 */

/** Latency that a framework adds to every kernel, one after the other. */
export const framework = {
  /**
   * Kernels of a layer of GPT-2 in Hugging Face's transformers, counted in modeling_gpt2.py: two norms, four products with
   * weights, two of attention, two concatenations with the cache, scaling, three for the mask, softmax, two copies of heads,
   * eight for GELU in its form by tanh, and two sums.
   */
  kernelsPerLayer: 27,
  /** Two embeddings, their sum, the last norm, the last product, the choice of a token. */
  kernelsOutside: 6,
  /**
   * Derived: PyTorch without compilation generates 25.5 tokens/s of Llama 2 7B on an A100, bound by the host (PyTorch's blog,
   * Accelerating Generative AI with PyTorch II, 2023): 39 ms for 32 layers of about 45 kernels. Assumed for both machines here.
   */
  secondsPerKernel: 27e-6,
} as const;

export const gpu = {
  /** W. NVIDIA T4 data sheet: most that it takes. Assumed to be taken all the time. */
  watts: 70,
} as const;

export const cpu = {
  /** B/s. Intel ARK, Xeon Gold 6154: six channels of DDR4-2666. Assumed to be used in full. */
  bytesPerSecond: 128e9,
  /** Assumed: a framework computes in fp32 on a CPU. */
  bytesPerWeight: 4,
  /** W. Intel ARK: thermal design power. Assumed to be taken all the time. */
  watts: 200,
} as const;

/** Seconds that the framework adds to a token. */
export function frameworkSeconds(layers: number): number {
  const { kernelsPerLayer, kernelsOutside, secondsPerKernel } = framework;
  return (layers * kernelsPerLayer + kernelsOutside) * secondsPerKernel;
}

/** Seconds of a token on the CPU, which reads all weights once. */
export function cpuSeconds(layers: number, weights: number): number {
  return (weights * cpu.bytesPerWeight) / cpu.bytesPerSecond + frameworkSeconds(layers);
}
