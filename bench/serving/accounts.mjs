const timeoutMs = 5000;
const pollMs = 200;

/**
 * Holds a server's accounts to what the load generators saw answered.
 *
 * @param {{ accounted: () => Promise<number> }} server
 */
export function accountOf({ accounted }) {
  let answered = 0;
  return {
    /** @param {number} requests answered, or streams ended */
    add: (requests) => {
      answered += requests;
    },
    /**
     * Requests that were cut off when a load ended may be on the account too, so it is held to hold no
     * fewer.
     *
     * @throws Error where it holds fewer
     */
    settle: async () => {
      const deadline = Date.now() + timeoutMs;
      let counted = await accounted();
      while (counted < answered && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, pollMs));
        counted = await accounted();
      }
      if (counted >= answered) return;
      throw new Error(
        `The server accounted for ${counted} requests of the ${answered} that it answered.`,
      );
    },
  };
}
