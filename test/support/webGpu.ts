/** ONNX Runtime's WebGPU provider in software: on SwiftShader, the Vulkan driver in Debian's `chromium`. */
import { existsSync } from 'node:fs';
import path from 'node:path';

const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';

/**
 * What a process needs in its environment to have WebGPU; undefined where this machine has none. The
 * loader reads it when the process starts.
 */
export const webGpuEnvironment: Record<string, string> | undefined = existsSync(driver)
  ? {
      VK_DRIVER_FILES: driver,
      VK_ICD_FILENAMES: driver,
      LD_LIBRARY_PATH: path.dirname(driver),
      XDG_RUNTIME_DIR: '/tmp',
    }
  : undefined;

if (!webGpuEnvironment) {
  console.log(`WebGPU is not tested: there is no ${driver}. Install Debian's package chromium.`);
}
