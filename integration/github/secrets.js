'use strict';
// The input `secrets`: build secrets, one a line, as docker/build-push-action takes them. Owns the
// reading of it, and the variables of one process that they go to valetkey in.
//
// Refuses what cannot be told apart, such as a value of several lines without quotation marks: a
// line of it would pass for an id, and ids are arguments and stand in the summary. For that reason
// no message repeats a word of the input.

const { input } = require('./runner');

/** What every builder takes for an id. */
const ID = /^[A-Za-z0-9_.-]{1,64}$/;
/** Build secrets of one step. */
const MAX_SECRETS = 100;
/** The variables that hold them, with a number behind it. */
const VARIABLE = 'VALETKEY_SECRET_';

const QUOTING = 'a value of several lines stands in quotation marks, "ID=VALUE", with each of its own twice; any other way it goes into this step\'s env, and grants say source = "env:NAME"';

/** The texts `ID=VALUE`; undefined in place of one whose quotation marks do not end it. */
function texts(all) {
  const found = [];
  let rest = all;
  while (rest !== '' && found.length <= MAX_SECRETS) {
    const quoted = rest.startsWith('"');
    const [whole, text] = (quoted ? /^"((?:[^"]|"")*)"[ \t\r]*(?:\n|$)/ : /^([^\n]*)(?:\n|$)/).exec(rest) ?? [rest];
    rest = rest.slice(whole.length);
    if (quoted) found.push(text?.replace(/""/g, '"'));
    else if (text.trim() !== '') found.push(text.trim());
  }
  return found;
}

/** Gives `{ secrets, reason }`: each with `id`, `variable` and `value`, or why there are none. */
function parsed(all) {
  const found = texts(all);
  if (found.length > MAX_SECRETS) return { secrets: [], reason: `secrets has more than ${MAX_SECRETS} entries` };
  const secrets = [];
  for (const [at, text] of found.entries()) {
    const [, id, value] = /^([^=]*)=([^]*)$/.exec(text ?? '') ?? [];
    const wrong = (why) => ({ secrets: [], reason: `entry ${at + 1} of secrets ${why}` });
    if (id === undefined || !ID.test(id)) return wrong(`is not ID=VALUE, with 1 to 64 letters, digits, _, . or - as the id: ${QUOTING}`);
    // Nor is the end of base64 an id and its value.
    if (/^[=\s]*$/.test(value)) return wrong(`has no value: a secret that was not passed is an empty text (pull requests from forks get none), and ${QUOTING}`);
    secrets.push({ id, variable: `${VARIABLE}${at + 1}`, value });
  }
  return { secrets, reason: '' };
}

const given = () => parsed(input('secrets'));

module.exports = { ID, MAX_SECRETS, VARIABLE, given, parsed };
