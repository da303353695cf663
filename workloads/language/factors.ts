/** Coefficients of indices that are written as names: the `P0` of `I[P0*p1+p0]`. */
import { type Diagnostic, suggest } from '../../arch/language/diagnostics.ts';
import type { FlatDeclaration } from './graph.ts';
import type { Extents } from './ranks.ts';
import type { AccessSyntax, ExpressionSyntax, FactorSyntax, TensorSyntax } from './syntax.ts';

/** A declaration whose indices have numbers for coefficients. A mistake in a name is added to `mistakes`. */
export function resolveFactors(flat: FlatDeclaration, { values }: Extents, mistakes: Diagnostic[]): FlatDeclaration {
  const valueOf = ({ name, at }: FactorSyntax): number => {
    const value = values.get(name);
    if (value === undefined) {
      const hint = suggest(name, values.keys());
      mistakes.push({ message: `there is no rank or parameter "${name}"`, place: at, hint });
    } else if (!Number.isNaN(value) && !(Number.isSafeInteger(value) && value >= 1)) {
      const message = `${name} is ${value}, and a factor of an index is a whole number from 1 up`;
      mistakes.push({ message, place: at });
    }
    return value ?? Number.NaN;
  };
  const inAccess = (access: AccessSyntax): AccessSyntax => {
    const indices = access.indices.map((index) => {
      const terms = new Map(index.terms);
      for (const factor of index.factors) {
        terms.set(factor.variable, terms.get(factor.variable)! + factor.sign * valueOf(factor));
      }
      return { ...index, terms, factors: [] };
    });
    return { ...access, indices };
  };
  const inTensor = (tensor: TensorSyntax): TensorSyntax => ({ ...tensor, access: inAccess(tensor.access) });
  const inExpression = (expression: ExpressionSyntax): ExpressionSyntax => {
    if (expression.kind === 'access') return inAccess(expression);
    if (expression.kind !== 'operation') return expression;
    return { ...expression, operands: expression.operands.map(inExpression) };
  };
  return {
    ...flat,
    inputs: flat.inputs.map(inTensor),
    outputs: flat.outputs.map(inTensor),
    steps: flat.steps.map((step) => ({
      ...step,
      einsums: step.einsums.map(({ output, reduction, expression, from }) => ({
        output: inAccess(output),
        reduction,
        expression: inExpression(expression),
        from: from && { ...from, access: inAccess(from.access) },
      })),
    })),
  };
}
