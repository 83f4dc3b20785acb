declare module 'ml-cart' {
  interface RegressionNode {
    /** A row whose `splitColumn` is less than `splitValue` goes left. */
    splitColumn: number;
    splitValue: number;
    left?: RegressionNode;
    right?: RegressionNode;
    /** A leaf's value. */
    distribution?: number;
  }

  export class DecisionTreeRegression {
    constructor(options: { minNumSamples?: number; maxDepth?: number });
    train(rows: number[][], targets: number[]): void;
    predict(rows: number[][]): number[];
    toJSON(): { root: RegressionNode };
  }
}
