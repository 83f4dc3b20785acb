import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { runtimeInfo } from 'cloudeasyml';

/** Load of other programs, in cores, from which figures are not to be believed. */
const busyLoad = 0.5;

/** What the figures were taken on. */
export function describeMachine() {
  const { version } = runtimeInfo();
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    onnxRuntime: version,
    loadBefore: loadavg()[0] ?? 0,
    settings: Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => name.startsWith('CLOUDEASYML_') && name !== 'CLOUDEASYML_ADMIN_KEY',
      ),
    ),
  };
}

/**
 * @param {ReturnType<typeof describeMachine> & { pinning: import('./pinning.mjs').Pinning | null }} machine
 * @returns {string[]} what a reader must know before believing the figures
 */
export function warningsFor({ cores, loadBefore, pinning }) {
  const warnings = [];
  if (loadBefore > busyLoad) {
    warnings.push(
      `The machine is busy (load ${loadBefore.toFixed(1)} before the start): the figures are noise.`,
    );
  }
  if (!pinning) {
    warnings.push(`Servers and load generator share ${cores} cores: believe the ratios only.`);
  }
  return warnings;
}
