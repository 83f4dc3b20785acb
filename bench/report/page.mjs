import { countsSection } from './countsSection.mjs';
import { engineSection } from './engineSection.mjs';
import { htmlTable } from './htmlTable.mjs';
import { overloadSection } from './overloadSection.mjs';
import { machineLine } from './results.mjs';
import { servingSections } from './servingSections.mjs';
import { pageStyle } from './style.mjs';
import { escaped } from './text.mjs';

/**
 * The report as one file that needs no other.
 *
 * @param {import('./results.mjs').Results} results
 * @param {import('./countsSection.mjs').Counts} [counts] of the regression guard
 * @returns {string} HTML
 */
export function reportPage(results, counts) {
  const { engine, serving, overload, targets, warnings, machine } = results;
  const settings = Object.entries(machine.settings).map(([name, value]) => `${name}=${value}`);
  const { pinning, openPinning } = machine;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CloudEasyML benchmark, ${escaped(results.date.slice(0, 10))}</title>
<style>${pageStyle}</style>
<h1>CloudEasyML benchmark</h1>
<p class="soft">${escaped(machineLine(results))}</p>
<p class="soft">${escaped(
    [
      `${results.mode} run`,
      pinning
        ? `servers on CPUs ${pinning.server}, load generator on ${pinning.generator}`
        : 'servers and load generator share all CPUs',
      ...(openPinning && !pinning
        ? [
            `in open loops servers on CPUs ${openPinning.server}, load generator on ${openPinning.generator}`,
          ]
        : []),
      ...settings,
    ].join(' · '),
  )}</p>
${warnings.map((warning) => `<p class="warning">${escaped(warning)}</p>`).join('\n')}
${targetsSection(targets)}
${serving ? servingSections(serving) : ''}
${overload ? overloadSection(overload) : ''}
${engine ? engineSection(engine) : ''}
${counts ? countsSection(counts) : ''}
<p class="soft">Figures are medians of rounds; ratios are taken within a round, between neighbours in time. How each is measured: docs/benchmarks.md.</p>
</html>
`;
}

const verdictClass = { pass: 'good', miss: 'bad', 'not measured': 'soft' };

/** @param {import('./results.mjs').Target[]} targets */
function targetsSection(targets) {
  if (targets.length === 0) return '';
  const passed = targets.filter(({ verdict }) => verdict === 'pass').length;
  const table = htmlTable(
    ['target', 'expected', 'found', ''],
    targets.map(({ what, expected, found, verdict }) => ({
      cells: [
        escaped(what),
        escaped(expected),
        escaped(found),
        `<span class="${verdictClass[verdict]}">${verdict}</span>`,
      ],
      wrap: true,
    })),
  );
  return `<h2>Targets</h2><p>${passed} of ${targets.length} are met.</p>${table}`;
}
