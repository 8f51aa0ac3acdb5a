'use strict';
// The step itself: a lease for the job, begun by `valetkey start`.

const fs = require('node:fs');
const path = require('node:path');
const { KEY, valetkey, withConfig } = require('./program');
const { annotate, entry, input, lines, print, visible, written } = require('./runner');
const secrets = require('./secrets');

/** Text that is part of a private key, also in base64. */
const PRIVATE_KEY = /-----BEGIN|PRIVATE KEY|LS0tLS1CRUdJ/;

/** What cannot be meant, said before anything is written or started. */
function refused() {
  if (['grants', 'config'].some((name) => PRIVATE_KEY.test(input(name)))) {
    return 'a private key stands where it would be written to disk: give it as `key`, or in this step\'s env with key = "env:NAME" in the grants';
  }
  const given = ['key', 'grants', 'config'].filter((name) => input(name) !== '');
  if (given.length > 1 && !(given.length === 2 && given.includes('config') && given.includes('key'))) {
    return `of ${given.join(' and ')} only one can say what is lent`;
  }
  if (['true', 'false'].includes(input('audit'))) return 'audit takes the names of images, one a line';
  if (!['auto', 'true', 'false', ''].includes(input('compose'))) return 'compose is auto, true or false';
  return secrets.given().reason;
}

/** With `=`, so that no value is a flag of its own. */
function flags() {
  const each = (name, flag) => lines(name).map((line) => `--${flag}=${line}`);
  const one = (name) => (input(name) === '' ? [] : [`--${name}=${input(name)}`]);
  const compose = { true: ['--compose'], false: ['--no-compose'] }[input('compose')] ?? [];
  const targets = input('bake').split(/\s+/).filter((target) => target !== '');
  const bake = input('bake') === 'true' ? ['--bake'] : targets.map((target) => `--bake=${target}`);
  return [
    ...(input('key') === '' ? [] : [`--key=env:${KEY}`, '--repos-from-comments']),
    ...secrets.given().secrets.map(({ id, variable }) => `--secret=${id}=env:${variable}`),
    ...one('lend'), ...each('host', 'host'), ...one('user'), ...each('known-hosts', 'known-hosts'),
    ...one('time-limit'), ...compose, ...bake,
  ];
}

/** The Dockerfiles as builds are to be given them: as they are where no gateway lends. */
async function dockerfiles(lease) {
  const files = lines('dockerfile');
  if (files.length === 0) return;
  const { context } = JSON.parse(fs.readFileSync(path.join(lease, 'lease.json'), 'utf8'));
  const rewritten = [];
  for (const file of files) {
    const { code, stdout, stderr } = context
      ? await valetkey(['rewrite', `--lease=${lease}`, '--', file])
      : { code: 0, stdout: file, stderr: '' };
    print(stderr);
    if (code !== 0) return failed(`${visible(file)} could not be rewritten`, code, stderr);
    rewritten.push(stdout.trim());
  }
  entry('GITHUB_OUTPUT', 'dockerfile', rewritten.join('\n'));
}

function failed(title, code, said) {
  const rows = said.trim().split('\n').map((line) => line.replace(/^valetkey: /, ''));
  const nothing = ['key', 'grants', 'config', 'secrets'].every((name) => input(name) === '');
  const hint = nothing ? ['key, grants, config and secrets are empty: a secret that was not passed is an empty text (pull requests from forks get none)'] : [];
  annotate('error', title, ...rows, ...hint);
  process.exitCode = code;
}

async function main() {
  const reason = refused();
  if (reason !== '') return failed('nothing was lent', 110, reason);
  const since = Math.floor(Date.now() / 1000);
  const { code, stderr } = await withConfig((config) => valetkey(['start', '--github-env', ...config, ...flags()], { inherit: true, secret: true }));
  print(stderr);
  const lease = written('GITHUB_OUTPUT', 'lease');
  if (lease !== '') {
    entry('GITHUB_STATE', 'lease', lease);
    entry('GITHUB_STATE', 'since', since);
  }
  if (code !== 0 || lease === '') return failed('nothing was lent', code || 1, stderr);
  await dockerfiles(lease);
}

main().catch((error) => failed('nothing was lent', 1, error.message));
