/** @param {string} text */
export const escaped = (text) =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** Three or four digits, whatever the size, thousands apart. @param {number} value */
export function figure(value) {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** @param {number} us */
export const milliseconds = (us) => figure(us / 1000);

/** @param {import('./results.mjs').Spread} spread */
export const ratio = ({ median }) => `${figure(median)}×`;

/** @param {import('./results.mjs').Spread} spread */
export const range = ({ min, max }) => `${figure(min)}–${figure(max)}`;

/** @param {number} bytes */
export const mebibytes = (bytes) => `${figure(bytes / 2 ** 20)} MiB`;
