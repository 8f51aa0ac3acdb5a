'use strict';
// The end of the job, however it went: the lease is ended, images are audited, and what happened
// stands in the job's summary.

const fs = require('node:fs');
const path = require('node:path');
const { KEY, folder, valetkey, withConfig } = require('./program');
const { annotate, input, lines, print, random, state } = require('./runner');
const { ID } = require('./secrets');
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
function keysLookedFor(receipt) {
  const identities = receipt?.identities ?? [];
  const variables = identities.map((one) => /^env:(\w+)$/.exec(one.source)?.[1]);
  const known = variables.filter((name) => name !== undefined && (name === KEY ? input('key') : process.env[name]));
  const secret = [...new Set(known)].map((name) => `--for=env:${name}`);
  const open = [...new Set(identities.map((one) => one.fingerprint))].map((text) => `--for=${text}`);
  return { exact: [...secret, ...open], open };
}

/**
 * The build secrets, of variables alone: a receipt that a step left behind is a file that anybody
 * may have written, and another source could be a command.
 */
function secretsLookedFor(receipt) {
  const all = (receipt?.secrets ?? []).map(({ id, source }) => ({ id, name: /^env:(\w+)$/.exec(source)?.[1] }));
  const can = ({ id, name }) => name !== undefined && ID.test(id);
  const without = all.filter((one) => !can(one)).map(({ id }) => ({ id, why: 'it does not come from a variable' }));
  return { secrets: all.filter(can), without };
}

/** Audits one image. Gives `{ image, code, report, said, without }`. */
async function audit(image, receipt) {
  const { exact, open } = keysLookedFor(receipt);
  const { secrets, without } = secretsLookedFor(receipt);
  let keys = exact;
  let result;
  for (;;) {
    const named = secrets.map(({ id, name }) => `--for-secret=${id}=env:${name}`);
    result = await withConfig((config) =>
      valetkey(['audit', '--format=json', ...config, ...keys, ...named, '--', image], { secret: true }));
    if (result.code !== 111) break;
    const at = secrets.findIndex(({ name }) => result.stderr.includes(`env:${name}: `));
    if (at >= 0) {
      const why = result.stderr.trim().split('\n')[0].replace(/^error: /, '');
      without.push({ id: secrets.splice(at, 1)[0].id, why });
    } else if (keys !== open) {
      // A key that needs more than its variable is looked for by its fingerprint.
      keys = open;
    } else break;
  }
  let report;
  try {
    report = JSON.parse(result.stdout);
  } catch {
    report = undefined;
  }
  return { image, code: result.code, report, said: result.stderr, without };
}

async function post() {
  const lease = state('lease');
  if (lease === '') return void process.stdout.write('valetkey: no lease was begun, so none is ended\n');
  const receipt = await stop(lease);
  refusals(receipt);
  const audits = [];
  for (const image of lines('audit')) audits.push(await audit(image, receipt));
  for (const { image, code, report, said, without } of audits) {
    print(report?.verdict ?? said);
    for (const { id, why } of without) annotate('warning', `audit of ${image}`, `the build secret ${id} was not looked for: ${why}`);
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
