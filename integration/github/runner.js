'use strict';
// The runner's side: inputs, the files that it names, and workflow commands.
//
// What others wrote (a comment of a key, a name that a build asked for) must be neither a command
// nor an entry of a file: commands are escaped, text is printed while commands are off, and the
// delimiter of an entry is random.

const { randomBytes } = require('node:crypto');
const fs = require('node:fs');

/** Characters of an annotation's message. */
const MAX_MESSAGE = 4000;

const random = () => randomBytes(16).toString('hex');

/** An input as it was given, without blanks around it. */
function input(name) {
  return (process.env[`INPUT_${name.replace(/ /g, '_').toUpperCase()}`] ?? '').trim();
}

/** The lines of an input. */
function lines(name) {
  return input(name).split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '');
}

/** What `main` kept for `post`. */
function state(name) {
  return process.env[`STATE_${name}`] ?? '';
}

/** Appends an entry to the file that a variable names. */
function entry(variable, name, value) {
  const file = process.env[variable];
  if (!file) throw new Error(`${variable} is not set: this runs as a step of a GitHub job`);
  const delimiter = `valetkey_${random()}`;
  fs.appendFileSync(file, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
}

/** The value of an entry that a program appended to such a file; the last one of that name. */
function written(variable, name) {
  const rows = fs.readFileSync(process.env[variable], 'utf8').split('\n');
  let value = '';
  for (let at = 0; at < rows.length; at += 1) {
    const [, found, delimiter] = /^([^=]*?)<<(.+)$/.exec(rows[at]) ?? [];
    if (delimiter === undefined) continue;
    const end = rows.indexOf(delimiter, at + 1);
    if (end < 0) break;
    if (found === name) value = rows.slice(at + 1, end).join('\n');
    at = end;
  }
  return value;
}

/** Text on one line, with what would move, hide or turn it as an escape that can be seen. */
function visible(text) {
  return String(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

function escaped(text) {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

/** An annotation of the job: `error`, `warning` or `notice`, with lines of text. */
function annotate(level, title, ...text) {
  const message = text.map(visible).join('\n').slice(0, MAX_MESSAGE);
  const property = escaped(visible(title)).replace(/:/g, '%3A').replace(/,/g, '%2C');
  process.stdout.write(`::${level} title=${property}::${escaped(message)}\n`);
}

/** Prints text that others wrote: whatever it holds is no command. */
function print(text) {
  if (text.trim() === '') return;
  const token = `valetkey-${random()}`;
  process.stdout.write(`::stop-commands::${token}\n${text.replace(/\n*$/, '\n')}::${token}::\n`);
}

module.exports = { annotate, entry, input, lines, print, random, state, visible, written };
