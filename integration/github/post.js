'use strict';
// The end of the job, however it went: the lease is ended, images are audited, and what happened
// stands in the job's summary.

const fs = require('node:fs');
const path = require('node:path');
const { KEY, folder, valetkey, withConfig } = require('./program');
const { annotate, input, lines, print, random, state } = require('./runner');
const { audited, receipted, refusals } = require('./summary');

/** Bytes of a receipt that is read. */
const MAX_RECEIPT = 16 << 20;

/** A receipt of this job's lease; none where the file is something else. */
function read(file) {
  try {
    if (fs.statSync(file).size > MAX_RECEIPT) return undefined;
    const text = fs.readFileSync(file, 'utf8');
    const receipt = JSON.parse(text);
    const ours = receipt.format === 'valetkey-receipt/1' && receipt.started >= Number(state('since')) - 1;
    return ours ? { receipt, text } : undefined;
  } catch {
    return undefined;
  }
}

/** Puts a file in its place. A symbolic link there is replaced, never written through. */
function place(file, text) {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${random()}`);
  try {
    fs.writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    annotate('error', 'the receipt was not written', error.message);
    process.exitCode = 114;
  }
}

/** Ends the lease. Gives its receipt, also where a step has ended it with --receipt already. */
async function stop(lease) {
  const temporary = path.join(process.env.RUNNER_TEMP || '/tmp', `valetkey-receipt-${random()}.json`);
  const { code, stderr } = await valetkey(['stop', `--lease=${lease}`, `--receipt=${temporary}`]);
  print(stderr);
  const mine = read(temporary);
  fs.rmSync(temporary, { force: true });
  if (code !== 0) {
    annotate('error', 'the lease was not ended in order', ...stderr.trim().split('\n'));
    process.exitCode = code;
  }
  const file = input('receipt') === '' ? undefined : path.resolve(folder(), input('receipt'));
  if (mine !== undefined && file !== undefined) place(file, mine.text);
  return (mine ?? (file && read(file)))?.receipt;
}

/** The keys to look for: the secret ones that this step knows, and all by their fingerprint. */
function lookedFor(receipt) {
  const identities = receipt?.identities ?? [];
  const variables = identities.map((one) => /^env:(\w+)$/.exec(one.source)?.[1]);
  const known = variables.filter((name) => name !== undefined && (name === KEY ? input('key') : process.env[name]));
  const secret = [...new Set(known)].map((name) => `--for=env:${name}`);
  const open = [...new Set(identities.map((one) => one.fingerprint))].map((text) => `--for=${text}`);
  return [[...secret, ...open], open];
}

/** Audits one image. Gives `{ image, code, report, said }`. */
async function audit(image, receipt) {
  let result;
  for (const keys of lookedFor(receipt)) {
    result = await withConfig((config) => valetkey(['audit', '--format=json', ...config, ...keys, '--', image]));
    // A key that needs more than its variable is looked for by its fingerprint.
    if (result.code !== 111) break;
  }
  let report;
  try {
    report = JSON.parse(result.stdout);
  } catch {
    report = undefined;
  }
  return { image, code: result.code, report, said: result.stderr };
}

async function post() {
  const lease = state('lease');
  if (lease === '') return void process.stdout.write('valetkey: no lease was begun, so none is ended\n');
  const receipt = await stop(lease);
  refusals(receipt);
  const audits = [];
  for (const image of lines('audit')) audits.push(await audit(image, receipt));
  for (const { image, code, report, said } of audits) {
    print(report?.verdict ?? said);
    if (code === 0 && report !== undefined) continue;
    annotate('error', `audit of ${image}`, ...(report === undefined ? said.trim().split('\n') : [report.verdict]));
    process.exitCode = code || 117;
  }
  if (process.env.GITHUB_STEP_SUMMARY) {
    fs.appendFileSync(process.env.GITHUB_STEP_SUMMARY, receipted(receipt) + audited(audits));
  }
}

post().catch((error) => {
  annotate('error', 'valetkey', error.message);
  process.exitCode = 115;
});
