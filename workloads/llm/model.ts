/** Transformer decoders as immutable values. */
import { Record } from 'immutable';

/** What a device has: 1 / tensor of products, and of 1 / expert of the experts 1 / expertTensor. */
export interface Part {
  readonly tensor: number;
  readonly expert: number;
  readonly expertTensor: number;
}

const whole: Part = { tensor: 1, expert: 1, expertTensor: 1 };

/**
 * A decoder: attention and a feed-forward network in every layer, with norms before both and residuals after. In every
 * `expertEvery`-th layer the network is `experts` networks, `activeExperts` of which each token goes through.
 */
export class LlmModel extends Record<{
  name: string;
  layers: number;
  /** Elements of a token between operators. */
  hidden: number;
  /** Heads of queries, and of keys and values, each shared by heads / kvHeads heads of queries. */
  heads: number;
  kvHeads: number;
  /** Elements of a head. */
  headSize: number;
  /** Inner elements of the feed-forward network, or of each expert. */
  ffn: number;
  /** Whether the network has a gate: a second matrix beside `up`, by whose product it is multiplied. */
  gated: boolean;
  /** The same for experts. */
  gatedExperts: boolean;
  /** 0: there are none. */
  experts: number;
  activeExperts: number;
  /** Layers whose index is expertEvery - 1 modulo expertEvery have experts. */
  expertEvery: number;
  vocabulary: number;
  /** Positions with a learned embedding; 0 when positions are told otherwise. */
  positions: number;
  /** Whether queries and keys are rotated by their position. */
  rotary: boolean;
  /** Whether the last product uses the embedding's weights. */
  tied: boolean;
  /** Whether products and norms have biases. */
  biases: boolean;
  norm: 'layer' | 'rms';
  activation: 'gelu' | 'silu' | 'relu';
}>(
  {
    name: '',
    layers: 1,
    hidden: 1,
    heads: 1,
    kvHeads: 1,
    headSize: 1,
    ffn: 1,
    gated: false,
    gatedExperts: false,
    experts: 0,
    activeExperts: 0,
    expertEvery: 1,
    vocabulary: 1,
    positions: 0,
    rotary: false,
    tied: true,
    biases: true,
    norm: 'layer',
    activation: 'gelu',
  },
  'LlmModel',
) {
  /** Whether a layer, counted from 0, has experts. */
  hasExperts(layer: number): boolean {
    return this.experts > 0 && layer % this.expertEvery === this.expertEvery - 1;
  }

  /** Weights of everything, embeddings included. */
  parameters(): number {
    const layers = Array.from({ length: this.layers }, (_, layer) => this.layerParameters(layer));
    return layers.reduce((all, weights) => all + weights, this.embeddingParameters());
  }

  /**
   * Weights of a layer, or of what a device has of it. Devices share products; norms, biases of what is summed over
   * devices, and routers are on each of them.
   */
  layerParameters(layer: number, part: Part = whole): number {
    const network = this.hasExperts(layer)
      ? expertParameters(this, part)
      : networkParameters(this, this.gated, part.tensor);
    return attentionParameters(this, part) + network + 2 * normParameters(this);
  }

  /** Weights before and after the layers: embeddings, which devices share, positions, and the last norm. */
  embeddingParameters({ tensor }: Part = whole): number {
    const words = Math.ceil(this.vocabulary / tensor) * (this.tied ? 1 : 2);
    return (words + this.positions) * this.hidden + normParameters(this);
  }

  /** Heads of keys and values on each of some devices: at least one, which then several devices have. */
  kvHeadsOn(devices: number): number {
    return Math.max(1, this.kvHeads / devices);
  }
}

function attentionParameters(model: LlmModel, { tensor }: Part): number {
  const { heads, headSize, hidden, biases } = model;
  const queries = (heads / tensor) * headSize;
  const keys = model.kvHeadsOn(tensor) * headSize;
  return hidden * (2 * queries + 2 * keys) + (biases ? queries + 2 * keys + hidden : 0);
}

/** Of one network that some devices share. */
function networkParameters({ ffn, hidden, biases }: LlmModel, gated: boolean, devices: number): number {
  const width = ffn / devices;
  const inner = gated ? 2 * width : width;
  return hidden * (inner + width) + (biases ? inner + hidden : 0);
}

/** Of experts and their router. */
function expertParameters(model: LlmModel, { expert, expertTensor }: Part): number {
  const { experts, gatedExperts, hidden } = model;
  return (experts / expert) * networkParameters(model, gatedExperts, expertTensor) + experts * hidden;
}

function normParameters({ hidden, norm, biases }: LlmModel): number {
  return hidden * (norm === 'layer' && biases ? 2 : 1);
}
