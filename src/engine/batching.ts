/** How the requests for a model without code share its runs, as it was decided when it was loaded. */
export interface Batching {
  /** Whether rows of several requests go into one run. */
  readonly joined: boolean;
  /** Whether that is certain, by the model's shapes or by a trial. */
  readonly verified: boolean;
  /** What was decided and why, a full sentence. */
  readonly detail: string;
}
