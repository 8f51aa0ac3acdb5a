'use strict';
// Tables for the job's summary. Every value is anybody's text: a cell holds it as text, whatever
// Markdown, HTML or mention it would be.

const { visible } = require('./runner');

/** Characters of a cell. */
const MAX_CELL = 400;
/** Rows of a table: a summary of more than 1 MiB is none. */
const MAX_ROWS = 100;

/** A value as text: each sign that Markdown could take for its own is a numeric reference. */
function cell(value) {
  const characters = [...visible(value ?? '')];
  const shown = characters.length > MAX_CELL ? [...characters.slice(0, MAX_CELL), '…'] : characters;
  return shown.map((c) => (/[ -~]/.test(c) && !/[A-Za-z0-9 -]/.test(c) ? `&#${c.codePointAt(0)};` : c)).join('');
}

/** A table under a heading; nothing where it has no rows. */
function table(heading, columns, rows) {
  if (rows.length === 0) return '';
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  const more = rows.length > MAX_ROWS ? `\n${rows.length - MAX_ROWS} more are not shown.\n` : '';
  const body = rows.slice(0, MAX_ROWS).map((row) => line(row.map(cell))).join('');
  return `### ${heading}\n\n${line(columns)}${line(columns.map(() => '---'))}${body}${more}\n`;
}

module.exports = { MAX_CELL, MAX_ROWS, cell, table };
