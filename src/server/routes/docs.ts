import type { oas31 } from 'zod-openapi';
import { errorTable } from '../../errors.js';
import { type OpenApiDocument, openApiDocument } from '../http/openapi.js';
import { type Route, type RouteDescription, route } from '../http/route.js';

type Operation = oas31.OperationObject;
type ResponseObject = oas31.ResponseObject;

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
pre,code{font:14px/1.45 ui-monospace,monospace}pre{background:#8881;padding:.8rem;overflow:auto}
table{border-collapse:collapse}td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}
:target{background:#fd06}:root{color-scheme:light dark}`;

function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
}

/** Schema names in a part of an operation link to the schemas further down. */
function schemaLinks(part: unknown): string {
  const names = JSON.stringify(part ?? '').matchAll(/#\/components\/schemas\/(\w+)/g);
  return [...new Set([...names].map((match) => match[1] ?? ''))]
    .map((name) => `<a href="#${name}">${name}</a>`)
    .join(', ');
}

function operationSection(path: string, method: string, operation: Operation): string {
  const rows = Object.entries(operation.responses ?? {}).map(([status, response]) => {
    const { description = '', content } = response as ResponseObject;
    const links = Number(status) < 400 ? schemaLinks(content) : errorLinks(description);
    return `<tr><td>${status}</td><td>${links}</td></tr>`;
  });
  const request = operation.requestBody ? `<p>Body: ${schemaLinks(operation.requestBody)}</p>` : '';
  return `<h3><code>${method.toUpperCase()} ${escapeHtml(path)}</code></h3>
<p>${escapeHtml(operation.summary ?? '')}. ${escapeHtml(operation.description ?? 'Wants no key.')}</p>
${request}<table>${rows.join('')}</table>`;
}

function errorLinks(codes: string): string {
  return codes
    .split(', ')
    .map((code) => `<a href="#${code}">${code}</a>`)
    .join(', ');
}

/** One page without scripts, so that it works wherever the server does. */
function docsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      operationSection(path, method, operation as Operation),
    ),
  );
  const schemas = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) =>
      `<h3 id="${name}">${name}</h3><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre>`,
  );
  const errors = Object.entries(errorTable).map(
    ([code, { status, title }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${escapeHtml(title)}</td></tr>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${document.info.title}</title>
<style>${style}</style>
<h1>${document.info.title} ${document.info.version}</h1>
<p>The same as <a href="/openapi.json">OpenAPI</a>. Send the key as <code>Authorization: Bearer &lt;key&gt;</code>.</p>
<h2>Routes</h2>${operations.join('\n')}
<h2>Errors</h2><p>Each is a problem document (RFC 9457) with one of these codes.</p>
<table><tr><th>code<th>status<th>meaning</tr>${errors.join('')}</table>
<h2>Bodies</h2>${schemas.join('\n')}</html>`;
}

/**
 * `/openapi.json` and `/docs`, for everyone.
 *
 * @param routes those that are documented
 */
export function docsRoutes(routes: readonly RouteDescription[]): Route[] {
  const document = openApiDocument(routes);
  const page = docsPage(document);
  return [
    route({
      method: 'GET',
      path: '/openapi.json',
      summary: 'The routes, as OpenAPI describes them',
      access: 'public',
      answer: {},
      handle: () => ({ body: document }),
    }),
    route({
      method: 'GET',
      path: '/docs',
      summary: 'The routes, for people',
      access: 'public',
      answer: {},
      handle: () => ({
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
        },
        body: page,
      }),
    }),
  ];
}
