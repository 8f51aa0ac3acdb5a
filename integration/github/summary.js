'use strict';
// What a receipt and audits say, as the job's summary and annotations.

const { cell, table } = require('./markdown');
const { KEY } = require('./program');
const { annotate } = require('./runner');
const { VARIABLE } = require('./secrets');

/** Annotations that one step may give; GitHub shows no more of a kind. */
const MAX_ANNOTATIONS = 10;

const list = (values, none) => (values === null || values === undefined ? none : values.join(', '));

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${Math.floor(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Sessions of each repository and command, with what they read. */
function carried(repositories) {
  const sums = new Map();
  for (const one of repositories) {
    const name = `${one.host}/${one.repository}`;
    const sum = sums.get(`${one.command} ${name}`) ?? { name, command: one.command, count: 0, down: 0, up: 0, failed: 0 };
    sum.count += 1;
    sum.down += one.bytes_down;
    sum.up += one.bytes_up;
    sum.failed += one.exit === 0 ? 0 : 1;
    sums.set(`${one.command} ${name}`, sum);
  }
  return [...sums.values()].map((sum) => [sum.name, sum.command, sum.count, sum.failed, size(sum.down), size(sum.up)]);
}

/** A source as who wrote the workflow knows it. */
function from(source) {
  if (source === `env:${KEY}`) return 'the input key';
  return String(source).startsWith(`env:${VARIABLE}`) ? 'the input secrets' : source;
}

/** The receipt as Markdown. */
function receipted(receipt) {
  const heading = '## valetkey\n\n';
  if (receipt === undefined) {
    return `${heading}The lease had ended before, and nothing is known of what it did: its process was killed, or a step ended it without \`--receipt\`.\n\n`;
  }
  const seconds = (receipt.duration_ms / 1000).toFixed(1);
  const held = receipt.lending === 'gateway' ? ' No build held a key.' : '';
  const ends = { stop: 'until the end of the job', 'time-limit': 'and ended at its time limit', job: 'until the job\'s process ended', signal: 'and was ended by a signal' };
  const lent = receipt.identities.map((one) => [
    one.fingerprint, one.comment, from(one.source), one.lending, one.lending === 'gateway' ? one.access : 'logins',
    list(one.repos, one.lending === 'gateway' ? 'every one that the key opens' : 'not limited'),
    list(one.hosts, 'every pinned host'),
  ]);
  const secrets = (receipt.secrets ?? []).map((one) => [one.id, one.form, one.bytes, from(one.source)]);
  const logins = receipt.logins.map((one) => [one.fingerprint, one.host ?? 'not visible', one.count]);
  const refused = receipt.refusals.map((one) => [one.kind, one.reason, one.hint ?? '', one.count]);
  const more = receipt.more_refusals > 0 ? `${receipt.more_refusals} refusals more are known by number only.\n\n` : '';
  return [
    heading, `Lent for ${seconds} s, ${ends[receipt.ended_by] ?? 'and ended'}.${held}\n\n`,
    table('Lent', ['Key', 'Comment', 'From', 'By', 'May', 'Repositories', 'Hosts'], lent),
    table('Lent as build secrets', ['Id', 'Form', 'Bytes', 'From'], secrets),
    table('Read', ['Repository', 'Command', 'Sessions', 'Without success', 'To the build', 'From the build'], carried(receipt.repositories)),
    table('Logins', ['Key', 'Host', 'Count'], logins),
    table('Refused', ['Kind', 'What and why', 'What to do', 'Times'], refused), more,
  ].join('');
}

/** Refusals as annotations: what was asked for and not granted is an error, a misfit a warning. */
function refusals(receipt) {
  for (const one of (receipt?.refusals ?? []).slice(0, MAX_ANNOTATIONS)) {
    const level = ['refused', 'stranger'].includes(one.kind) ? 'error' : 'warning';
    const times = one.count === 1 ? 'refused' : `refused ${one.count} times`;
    annotate(level, `valetkey ${times}`, one.reason, ...(one.hint ? [`hint: ${one.hint}`] : []));
  }
}

function where({ kind, layer, path, inner, field, hidden_by: hidden }) {
  const file = path === null ? field ?? kind : [path, inner].filter((part) => part !== null).join('!/');
  const below = hidden === null ? '' : `, hidden by layer ${hidden}`;
  return layer === null ? `${kind}: ${file}` : `layer ${layer}: ${file}${below}`;
}

/** The audits as Markdown. */
function audited(audits) {
  const verdict = ({ image, report, said }) => [image, report?.verdict ?? `not audited: ${said.trim()}`];
  const finding = (image, one) => [image, one.severity, one.message, where(one.location), one.remedy];
  const reports = audits.filter(({ report }) => report !== undefined);
  // What packages ship on purpose is a note; it is counted in the report, and not listed here.
  const found = reports.flatMap(({ image, report }) =>
    report.findings.filter((one) => one.severity !== 'note').map((one) => finding(image, one)));
  const unread = audits.flatMap(({ image, report, without }) => [
    ...(report?.unread ?? []).map((one) => [image, one.place, one.reason]),
    ...without.map(({ id, why }) => [image, `the build secret ${id}`, `not looked for: ${why}`]),
  ]);
  return [
    table('Audit', ['Image', 'Result'], audits.map(verdict)),
    table('Found', ['Image', 'Severity', 'What', 'Where', 'What to do'], found),
    table('Not read', ['Image', 'Where', 'Why'], unread),
  ].join('');
}

module.exports = { audited, cell, receipted, refusals };
