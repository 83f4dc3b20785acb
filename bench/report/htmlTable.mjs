/**
 * @typedef {object} Row
 * @property {readonly string[]} cells HTML; the first is what the row is about
 * @property {string} [kind] its class
 * @property {boolean} [wrap] lets the first cell run over several lines
 */

/**
 * A table that scrolls by itself where the page is narrow.
 *
 * @param {readonly string[]} head HTML
 * @param {readonly Row[]} rows
 * @param {string} [caption] HTML
 */
export function htmlTable(head, rows, caption) {
  const body = rows.map(({ cells, kind, wrap }) => {
    const [first, ...others] = cells;
    return (
      `<tr${kind ? ` class="${kind}"` : ''}><td${wrap ? ' class="wrap"' : ''}>${first}</td>` +
      `${others.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
    );
  });
  return (
    `<div class="scroll"><table>${caption ? `<caption>${caption}</caption>` : ''}` +
    `<thead><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr></thead>` +
    `<tbody>${body.join('\n')}</tbody></table></div>`
  );
}

/** @param {string} title HTML @param {string} content HTML */
export const card = (title, content) =>
  `<section class="card"><h3>${title}</h3>${content}</section>`;

/** @param {readonly string[]} each HTML */
export const cards = (each) => `<div class="cards">${each.join('\n')}</div>`;

/** @param {string} summary HTML @param {string} content HTML */
export const details = (summary, content) =>
  `<details><summary>${summary}</summary>${content}</details>`;
