const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** Ctrl-C reaches the server twice under npm: from the terminal, and passed on. */
const sameRequestMs = 500;
const parentCheckMs = 250;

/**
 * Whether, and why, the server is asked to stop: by a signal, or by the end of the npm that started it. The
 * first request stops it in order; half a second later a signal ends the process at once.
 */
export class StopRequest {
  /** Resolves with what asked for it. */
  readonly made: Promise<string>;
  #isMade = false;

  /** Begins to listen. */
  constructor() {
    this.made = new Promise((resolve) => {
      const make = (reason: string) => {
        if (this.#isMade) return;
        this.#isMade = true;
        setTimeout(() => {
          for (const signal of signals) process.off(signal, make);
        }, sameRequestMs).unref();
        resolve(reason);
      };
      for (const signal of signals) process.on(signal, make);
      watchNpm(make);
    });
  }

  get isMade(): boolean {
    return this.#isMade;
  }
}

/** npm passes signals to a shell that ends without passing them on, and some it does not pass on at all. */
function watchNpm(onEnd: (reason: string) => void): void {
  if (!['start', 'exec'].includes(process.env.npm_command ?? '')) return;
  const parent = process.ppid;
  const check = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(check);
    onEnd('npm has ended');
  }, parentCheckMs).unref();
}
