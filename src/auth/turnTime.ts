let turn = 0;

const forget = () => {
  turn = 0;
};

/**
 * Milliseconds since 1970 as the event loop's current turn first asked. Rate limits need no better, and
 * asking the system for each request costs as much as all else that a limit takes.
 */
export function turnTime(): number {
  if (turn === 0) {
    turn = Date.now();
    setImmediate(forget);
  }
  return turn;
}
