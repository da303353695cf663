/** Transformer decoders as immutable values. */
import { Record } from 'immutable';

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

  /** Layers with experts. */
  get expertLayers(): number {
    return this.experts > 0 ? Math.floor(this.layers / this.expertEvery) : 0;
  }

  /** Weights of everything, embeddings included. */
  parameters(): number {
    const dense = this.layers - this.expertLayers;
    const embeddings = (this.vocabulary * (this.tied ? 1 : 2) + this.positions) * this.hidden;
    const layers = this.layers * this.#attention() + dense * this.#network(this.gated);
    return embeddings + layers + this.expertLayers * this.#experts() + this.#norm();
  }

  #attention(): number {
    const [queries, keys] = [this.heads * this.headSize, this.kvHeads * this.headSize];
    const biases = this.biases ? queries + 2 * keys + this.hidden : 0;
    return this.hidden * (2 * queries + 2 * keys) + biases + 2 * this.#norm();
  }

  #network(gated: boolean): number {
    const inner = gated ? 2 : 1;
    return (inner + 1) * this.hidden * this.ffn + (this.biases ? inner * this.ffn + this.hidden : 0);
  }

  #experts(): number {
    return this.experts * (this.#network(this.gatedExperts) + this.hidden);
  }

  #norm(): number {
    return this.hidden * (this.norm === 'layer' && this.biases ? 2 : 1);
  }
}
