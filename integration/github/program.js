'use strict';
// Running valetkey: its arguments from the inputs, its environment, and what it says.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { input, random } = require('./runner');
const secrets = require('./secrets');

/** Bytes that are kept of what it says, on each of its streams. */
const MAX_SAID = 32 << 20;
/** The variable of its process that the input `key` is in. */
const KEY = 'VALETKEY_KEY';

/** This step's environment without the inputs; with the secret ones where that one process needs them. */
function environment(secret) {
  const own = (name) => /^(INPUT|STATE)_/.test(name) || name === KEY || name.startsWith(secrets.VARIABLE);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own(name)));
  if (secret && input('key') !== '') env[KEY] = `${input('key')}\n`;
  if (secret) for (const { variable, value } of secrets.given().secrets) env[variable] = value;
  return env;
}

const folder = () => path.resolve(input('working-directory') || '.');

function collected(stream) {
  const chunks = [];
  let size = 0;
  stream?.on('data', (chunk) => {
    size += chunk.length;
    if (size <= MAX_SAID) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

/**
 * Runs it to its end and gives `{ code, stdout, stderr }`. Where `inherit` is true its standard
 * output is the step's own; where `secret` is, the keys and build secrets of the inputs are in its
 * environment. A signal that ends the step is its to act on first.
 */
function valetkey(args, { inherit = false, secret = false } = {}) {
  const stdio = ['ignore', inherit ? 'inherit' : 'pipe', 'pipe'];
  return new Promise((resolve) => {
    const child = spawn(input('valetkey') || 'valetkey', args, { cwd: folder(), env: environment(secret), stdio });
    const [stdout, stderr] = [collected(child.stdout), collected(child.stderr)];
    const signals = ['SIGINT', 'SIGTERM'];
    let code;
    const onSignal = (signal) => {
      code = signal === 'SIGINT' ? 130 : 143;
      child.kill(signal);
    };
    signals.forEach((signal) => process.on(signal, onSignal));
    const done = (result) => {
      signals.forEach((signal) => process.off(signal, onSignal));
      resolve(result);
    };
    child.on('error', (error) => {
      const missing = error.code === 'ENOENT' && fs.existsSync(folder());
      const hint = missing ? '\nhint: install it in a step before this one, or name it with the input valetkey' : '';
      done({ code: 127, stdout: '', stderr: `valetkey could not be started: ${error.message}${hint}` });
    });
    child.on('close', (own) => done({ code: code ?? own ?? 1, stdout: stdout(), stderr: stderr() }));
  });
}

/**
 * The flags that name what is lent, for as long as `use` takes: the text of the input `grants` is
 * a file meanwhile.
 */
async function withConfig(use) {
  if (input('config') !== '') return use([`--config=${input('config')}`]);
  if (input('grants') === '') return use([]);
  const file = path.join(process.env.RUNNER_TEMP || '/tmp', `valetkey-${random()}.toml`);
  fs.writeFileSync(file, `${input('grants')}\n`, { flag: 'wx', mode: 0o600 });
  try {
    return await use([`--config=${file}`]);
  } finally {
    fs.rmSync(file, { force: true });
  }
}

module.exports = { KEY, folder, valetkey, withConfig };
