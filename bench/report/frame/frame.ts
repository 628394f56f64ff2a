// Renders a report as one self-contained HTML document: heads, tables and downloads here, plots by its script.

import { basename } from "node:path";
import { escapeXml } from "./escape.ts";
import { html, type Markup, none } from "./markup.ts";
import type { Badge, Page, Part, Plot, Row, Section, Subject, Table, Threshold, Tile } from "./page.ts";
import { fillTemplate } from "./template.ts";

/** Number of colours of subjects before they repeat; defined in page.css. */
const colors = 8;
/** A swatch in the colour of a subject. */
const key = html`<span class="key"></span>`;

/** The report as HTML. */
export function renderPage({ title, subjects, sections }: Page): string {
  const plots: Plot[] = [];
  const body = html`
    <section class="subjects" aria-label="Summary">${subjects.map((subject, index) => renderSubject(subject, index, subjects.length))}</section>
    ${renderThresholds(subjects)}
    ${sections.map((section) => renderSection(section, plots))}
    ${renderOrigin(subjects)}`;
  return fillTemplate({
    title: escapeXml(title),
    body: body.text,
    plots: JSON.stringify(plots).replaceAll("<", "\\u003c"),
  });
}

function renderSubject(subject: Subject, index: number, count: number): Markup {
  const { title, badge, summary, tiles, failures, warnings } = subject;
  const [lead, ...notes] = summary;
  return html`<article class="card" style="${colorOf(index)}">
    ${count === 1 ? none : html`<h2>${title}</h2>`}
    ${badge === null ? none : renderBadge(badge)}
    ${lead === undefined ? none : html`<p>${lead}</p>`}
    ${notes.length === 0 ? none : html`<p class="note">${notes.join(" · ")}</p>`}
    ${failures.length === 0 ? none : html`<p class="failed">Not acceptable: ${failures.join("; ")}.</p>`}
    ${tiles.length === 0 ? none : html`<dl class="tiles">${tiles.map(renderTile)}</dl>`}
    ${warnings.length === 0 ? none : html`<ul class="warnings">${warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`}
  </article>`;
}

function renderBadge({ text, tone, meaning }: Badge): Markup {
  return html`<p class="verdict"><span class="badge ${tone}">${text}</span> ${meaning}</p>`;
}

function renderTile({ label, value, note, delta }: Tile): Markup {
  return html`<div><dt>${label}</dt><dd><span class="value">${value}</span>
    ${delta === undefined ? none : html`<span class="delta ${delta.tone}">${delta.text}</span>`}
    ${note === undefined ? none : html`<span class="note">${note}</span>`}</dd></div>`;
}

function renderThresholds(subjects: readonly Subject[]): Markup {
  const rows = subjects.flatMap(({ title, thresholds }, subject) =>
    thresholds.map((threshold) => renderThreshold(threshold, title, subject, subjects.length)),
  );
  if (rows.length === 0) {
    return none;
  }
  return html`<section class="part"><h2>Thresholds</h2>
    ${scrollable(
      "Thresholds",
      html`<table><tr>${subjects.length === 1 ? none : html`<th scope="col" class="text">Measurement</th>`}
      <th scope="col" class="text">Threshold</th><th scope="col">It was</th><th scope="col">Outcome</th></tr>${rows}</table>`,
    )}
  </section>`;
}

function renderThreshold(
  { expression, actual, passed }: Threshold,
  title: string,
  subject: number,
  count: number,
): Markup {
  return html`<tr>${count === 1 ? none : html`<td class="text" style="${colorOf(subject)}">${key}${title}</td>`}
    <td class="text"><code>${expression}</code></td><td>${actual}</td>
    <td class="${passed ? "good" : "bad"}">${passed ? "✓ pass" : "✗ fail"}</td></tr>`;
}

function renderSection({ title, notes = [], parts }: Section, plots: Plot[]): Markup {
  return html`<section class="part"><h2>${title}</h2>
    ${notes.map((note) => html`<p class="note">${note}</p>`)}
    <div class="parts">${parts.map((part) => renderPart(part, plots))}</div>
  </section>`;
}

function renderPart(part: Part, plots: Plot[]): Markup {
  switch (part.type) {
    case "table":
      return scrollable(part.name, renderTable(part));
    case "chart":
      return scrollable(part.name, part.svg);
    case "plot":
      plots.push(part);
      return html`<figure class="card${part.isWide === true ? " wide" : ""}">
        <figcaption><h3>${part.title}</h3><p class="note">${part.note}</p></figcaption>
        <div class="plot" data-plot="${plots.length - 1}"></div>
      </figure>`;
  }
}

function renderTable({ headings, rows, textColumns = [] }: Table): Markup {
  const style = (column: number): string =>
    column === 0 || textColumns.includes(column) ? "text" : "figure";
  const head = headings.map((heading, column) =>
    heading === "" ? html`<td></td>` : html`<th scope="col" class="${style(column)}">${heading}</th>`,
  );
  return html`<table><tr>${head}</tr>${rows.map((row) => renderRow(row, style))}</table>`;
}

function renderRow({ cells, subject }: Row, style: (column: number) => string): Markup {
  const mark = (column: number): Markup => (subject === undefined || column > 0 ? none : key);
  return html`<tr${subject === undefined ? none : html` style="${colorOf(subject)}"`}>${cells.map(
    (cell, column) => html`<td class="${style(column)}">${mark(column)}${cell}</td>`,
  )}</tr>`;
}

/** The commands that repeat the measurements, the setups, and the environments. */
function renderOrigin(subjects: readonly Subject[]): Markup {
  const several = subjects.length > 1;
  const hasSecrets = subjects.some(({ command }) => command.some((line) => line.includes("***")));
  const environments = [...new Set(subjects.map(({ environment }) => environment))];
  return html`<section class="part origin"><h2>Where this comes from</h2>
    ${subjects.map(
      (subject, index) => html`<div class="card">
        ${several ? html`<h3 style="${colorOf(index)}">${key}${subject.title}</h3>` : none}
        ${subject.command.length === 0 ? none : html`<pre>${subject.command.join("\n")}</pre>`}
        <p class="note">Measured ${subject.startedAt}. ${renderDownload(subject, several)}</p>
      </div>`,
    )}
    ${hasSecrets ? html`<p class="note">*** stands for a secret, which is not kept.</p>` : none}
    ${environments.map((environment) => html`<p class="note">${environment}</p>`)}
  </section>`;
}

/** A link that contains the document, so that it works without a script and from a mailed file. */
function renderDownload({ document, startedAt, title }: Subject, isOneOfMany: boolean): Markup {
  const name = `${basename(document.kind)}-${startedAt.replace(/[-:]|\.\d+/g, "")}.json`;
  const content = Buffer.from(`${JSON.stringify(document, null, 2)}\n`).toString("base64");
  const what = isOneOfMany ? `${title} ` : "";
  return html`<a class="download" download="${name}" href="data:application/json;base64,${content}">Download ${what}as JSON</a>`;
}

/** A card that scrolls, also by keyboard. The script shows the hint if content overflows. */
function scrollable(name: string, content: Markup): Markup {
  return html`<div class="scroller">
    <div class="card scroll" role="group" aria-label="${name}" tabindex="0">${content}</div>
    <p class="hint" aria-hidden="true">Scroll sideways for the rest &#8594;</p>
  </div>`;
}

function colorOf(subject: number): string {
  return `--subject: var(--c${subject % colors})`;
}
