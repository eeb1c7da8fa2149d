"use strict";
// The same check as verify.py, which is the reference, with the browser's own SHA-256. A test
// compares the two, sentence for sentence.
const FORM = "public record of forecasts, form 4";
const NOTHING = "0".repeat(64);
const HOUR = 3600000000; // microseconds
const SHA2 = { "0201": "SHA-256", "0202": "SHA-384", "0203": "SHA-512" };
const MESSAGE_DIGEST = "2a864886f70d010904";
const ONLY =
  "Only a digest from elsewhere, or the signature of a stamp, shows when its chain was made.";
const NO_FORM = `record.json does not have the form of this release: ${FORM}`;
const NO_STAMPS = "Times: no stamps. The ledger's owner gets them with: forecasts digest --stamp";
const RECORD =
  "form digest ledger team brier files counts members questions ties stamps first before entries";
const TIES = "question_group group_place condition question_link";
const QUESTION = "question wording resolutions forecasts scores";

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const hash = async (bytes, name = "SHA-256") =>
  new Uint8Array(await crypto.subtle.digest(name, bytes));
const sha256 = async (text) => hex(await hash(new TextEncoder().encode(text)));
const micros = (time) => Date.parse(`${time.slice(0, 19)}Z`) * 1000 + Number(time.slice(20, 26));
const shown = (score, digits = 4) => (score === null ? "none" : score.toFixed(digits));
const differing = (score, stated) => {
  const isKnown = score !== null && stated !== null;
  if (score === stated || (isKnown && Math.abs(score - stated) < 1e-9)) return "";
  const digits = shown(score) === shown(stated) ? 10 : 4;
  return `${shown(score, digits)} computed from the rows, ${shown(stated, digits)} stated`;
};
const many = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;
const compare = (one, other) => (one < other ? -1 : Number(one > other));
const isObject = (one) => one?.constructor === Object;
const mean = (scores) =>
  scores.length ? scores.reduce((total, score) => total + score, 0) / scores.length : null;

function strict(text) {
  const value = JSON.parse(text);
  const open = []; // the names of each object that is open, and nothing for a list
  const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"(?:\s*:)?|[{}[\]]|-?\d[\d.eE+-]*/g;
  for (const [token] of text.matchAll(tokens)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token.endsWith(":")) {
      const name = JSON.parse(token.slice(0, -1));
      if (open.at(-1).has(name)) throw new TypeError(`the name '${name}' appears twice`);
      open.at(-1).add(name);
    } else if (token[0] !== '"' && (token.length > 32 || !Number.isFinite(Number(token)))) {
      throw new TypeError(`${token.slice(0, 20)} is not a number that a record can have`);
    }
  }
  return value;
}

function only(one, names, optional = "") {
  const known = `${names} ${optional}`.split(" ");
  const isOther = Object.keys(one).some((name) => !known.includes(name));
  if (isOther || !names.split(" ").every((name) => name in one)) throw new TypeError();
  return one;
}

class Check {
  faults = [];
  said = [];
  entries = new Map();
  entered = new Set();
  rows = new Set();
  opened = new Set();
  older = new Map();
  forecasts = [];
  handles = new Map();
  asked = new Map();
  scores = [];
  stated = [];

  async all(record) {
    try {
      if (record.form !== FORM) throw new TypeError();
      const { files, first, stamps } = only(record, RECORD);
      if (![files, stamps].every(isObject) || !Number.isInteger(first)) throw new TypeError();
      await this.chain(record);
      for (const one of record.members) {
        this.handles.set((await this.row(one, "member")).id, strict(one.said).handle);
      }
      const who = [...this.handles.values()].join(", ");
      const title =
        record.team === null ? who : `${(await this.row(record.team, "team")).name} (${who})`;
      const wordings = new Map();
      for (const one of record.questions) await this.question(one, wordings);
      this.ordered("the questions", [...wordings.keys()].map((id) => [id]));
      await this.ties(only(record.ties, TIES), wordings);
      if (this.first > 1 && this.unproved >= this.first) {
        const fewer = "has fewer before it than rows without an entry";
        this.faults.push(`entry ${this.first} ${fewer}`);
      }
      const forecasts = many(this.forecasts.length, "forecast");
      this.said.unshift(`${title}: ${forecasts} on ${many(wordings.size, "question")}.`);
      this.counts(record.counts, wordings);
      this.times(await this.stamps(record.stamps));
      const differ = differing(mean([...this.scores, ...this.stated]), record.brier);
      if (differ) this.faults.push(`mean Brier score: ${differ}`);
      const recomputed = `${many(this.scores.length, "Brier score")} recomputed`;
      const unproved = this.stated.length ? `; ${this.stated.length} cannot be` : "";
      this.said.push(`Scores: ${recomputed}, mean ${shown(mean(this.scores))}${unproved}.`);
      const older = [...this.older].sort().map(([kind, number]) => many(number, kind));
      if (older.length) {
        this.said.push(`Not proved, since older than this part of the chain: ${older.join(", ")}.`);
      }
    } catch {
      this.faults.push(NO_FORM);
    }
    return this;
  }

  get unproved() {
    return [...this.older.values()].reduce((total, number) => total + number, 0);
  }

  get verdict() {
    if (this.faults.length) return "This record does NOT pass the check:";
    const known = `agrees with its chain of hashes. ${ONLY}`;
    if (!this.unproved) return `This record ${known}`;
    const rows = `${this.unproved} of ${many(this.rows.size, "row")} cannot be checked`;
    return `${rows}: anyone could have altered them. The rest of this record ${known}`;
  }

  async chain(record) {
    let place = record.first - 1;
    let before = record.before;
    let time = "";
    const ends = new Map();
    if (place === 0 && before !== NOTHING) this.faults.push("the first entry follows another one");
    for (const [kind, rowId, row, at, question, ...start] of record.entries) {
      place += 1;
      const link = {};
      if (at !== null) {
        link.at = at;
        if (at < time) this.faults.push(`entry ${place} is earlier than the one before it`);
        time = at;
      }
      Object.assign(link, { before, kind });
      if (start.length && (start.length !== 2 || question === null || ends.has(question))) {
        throw new TypeError();
      }
      if (question !== null) {
        const [number, previous] = ends.get(question) ?? (start.length ? start : [0, NOTHING]);
        Object.assign(link, { number: number + 1, place, previous, question });
      } else {
        link.place = place;
      }
      before = await sha256(JSON.stringify(Object.assign(link, { row, row_id: rowId })));
      if (question !== null) ends.set(question, [link.number, before]);
      this.entries.set(place, { kind, rowId, row, at, question, hash: before });
      this.entered.add(`${kind} ${rowId}`);
    }
    this.first = record.first;
    if (record.digest !== `${place}-${before}`) {
      this.faults.push("the chain does not end in the stated digest: one was altered");
    }
    if (place && record.first === 1 && this.entries.get(1).hash !== record.ledger) {
      this.faults.push("the first entry is not that of the stated ledger");
    }
    const part = `entries ${record.first} to ${place} of ledger ${record.ledger.slice(0, 12)}…`;
    const each = "each with the hash of the one before";
    this.said.push(`Chain: ${part}, ${each}. Digest: ${place}-${before}`);
    if (this.first > 1) {
      this.said.push("Chain: only a receipt shows that this part is of that ledger.");
    }
  }

  async row(one, kind, of = "") {
    const row = strict(only(one, "place row", "salt said").row);
    const place = one.place;
    const known = `${kind} ${row.id}`;
    const name = known + of;
    if (this.rows.has(known)) this.faults.push(`${name} appears twice`);
    this.rows.add(known);
    if (place === null) {
      this.older.set(kind, (this.older.get(kind) ?? 0) + 1);
      if (this.first === 1 || this.entered.has(known)) this.faults.push(`${name} has no entry`);
      return row;
    }
    const entry = this.entries.get(place);
    const isThere = entry && entry.kind === kind && entry.rowId === row.id;
    if (!isThere || entry.row !== (await sha256(one.row))) {
      this.faults.push(`${name} does not match entry ${place}`);
    }
    if ("said" in one && (await sha256(one.salt + one.said)) !== row.words) {
      this.faults.push(`the words of ${name} do not match entry ${place}`);
    }
    this.opened.add(place);
    return row;
  }

  ordered(what, keys) {
    const isAfter = (one, other) => {
      const at = one.findIndex((key, place) => key !== other[place]);
      return at >= 0 && compare(one[at], other[at]) > 0;
    };
    if (keys.some((key, at) => at > 0 && isAfter(keys[at - 1], key))) {
      this.faults.push(`${what} are out of order`);
    }
  }

  async question(one, wordings) {
    const question = await this.row(only(one, QUESTION).question, "question");
    const slug = question.slug;
    const of = ` of ${slug}`;
    const wording = await this.row(one.wording, "question_revision", of);
    const resolutions = [];
    for (const each of one.resolutions) resolutions.push(await this.row(each, "resolution", of));
    const isUnproved = (each) => each.place === null;
    const undecided = [one.wording, ...one.resolutions].some(isUnproved);
    const paths = new Map();
    const unproved = new Set();
    const made = [];
    for (const each of one.forecasts) {
      const row = await this.row(each, "forecast", of);
      if (!this.handles.has(row.member_id)) throw new TypeError();
      const member = this.handles.get(row.member_id);
      const name = `${slug}, forecast of ${member} at ${row.made_at}`;
      this.forecasts.push({ place: each.place, row, name });
      paths.set(member, [...(paths.get(member) ?? []), row]);
      made.push(row);
      if (isUnproved(each)) unproved.add(member);
    }
    const keys = made.map((row) => [row.member_id, row.made_at, row.id]);
    this.ordered(`${slug}: the forecasts`, keys);
    this.ordered(`${slug}: the resolutions`, resolutions.map((row) => [row.id]));
    if ([wording, ...resolutions, ...made].some((row) => row.question_id !== question.id)) {
      this.faults.push(`${slug}: a row of another question`);
    }
    const decided = resolutions.filter((row) => ["confirmed", "withdrawn"].includes(row.state));
    decided.sort((now, then) => then.id - now.id);
    const outcome = decided.length && decided[0].state === "confirmed" ? decided[0].outcome : null;
    const source = outcome === null ? "" : (decided[0].source ?? "");
    this.asked.set(question.id, { slug, type: wording.type, outcome, source });
    const scores = one.scores.map((score) => only(score, "forecaster brier"));
    const given = new Map(scores.map((score) => [score.forecaster, score.brier]));
    if (given.size !== one.scores.length) this.faults.push(`${slug}: a score appears twice`);
    for (const member of [...new Set([...paths.keys(), ...given.keys()])].sort()) {
      if (undecided || unproved.has(member)) {
        if (given.has(member)) this.stated.push(given.get(member));
        continue;
      }
      const score = brier(wording, outcome, paths.get(member) ?? []);
      const stated = given.get(member) ?? null;
      if (score !== null) this.scores.push(score);
      const differ = differing(score, stated);
      if (differ) this.faults.push(`${slug}: Brier score of ${member}: ${differ}`);
    }
    wordings.set(question.id, [slug, one.wording.place ?? 0]);
  }

  async ties(given, wordings) {
    const follows = new Set();
    for (const kind of Object.keys(given)) {
      for (const one of given[kind]) {
        const row = await this.row(one, kind);
        const ends = [row.question_id, row.parent_id, row.other_id];
        if (ends.some((id) => (id ?? null) !== null && !wordings.has(id))) {
          this.faults.push(`${kind} ${row.id}: a row of another question`);
        } else if (kind === "condition") {
          const { slug, outcome } = this.asked.get(row.question_id);
          const parent = this.asked.get(row.parent_id);
          const told = parent.outcome;
          const isHeld = told === null ? true : held(row.outcome, told, parent.type);
          if (isHeld !== true) follows.add(`${slug} condition:${parent.slug}`);
          if (isHeld === false && outcome !== "annulled") {
            const why = `${parent.slug} is ${told}, and it was asked for ${row.outcome}`;
            this.faults.push(`${slug} is not annulled: ${why}`);
          }
        }
      }
    }
    const every = [...this.asked.values()];
    const sources = new Set(every.map(({ slug }) => `condition:${slug}`));
    for (const { slug, outcome, source } of every) {
      if (outcome !== "annulled" || !sources.has(source)) continue;
      if (!follows.has(`${slug} ${source}`)) {
        this.faults.push(`${slug} is annulled, but no ${source} says so`);
      }
    }
  }

  counts(given, wordings) {
    let [others, ties] = [0, 0];
    const elsewhere = [];
    for (const [place, entry] of this.entries) {
      if (this.opened.has(place)) continue;
      const [slug, worded] = wordings.get(entry.question) ?? ["", 0];
      const isLater = entry.kind === "question_revision" && place > worded;
      if (entry.kind === "forecast") {
        if (slug) others += 1;
        else elsewhere.push(entry.question);
      } else if (slug && TIES.split(" ").includes(entry.kind)) {
        ties += 1;
      } else if (slug && (entry.kind === "resolution" || isLater)) {
        this.faults.push(`${slug}: the ${entry.kind} of entry ${place} was left out`);
      }
    }
    const questions = new Set(elsewhere).size;
    const found = {
      forecasts: this.forecasts.length,
      others,
      elsewhere: elsewhere.length,
      questions_elsewhere: questions,
      ties,
    };
    only(given, Object.keys(found).join(" "));
    for (const [name, number] of Object.entries(found)) {
      if (given[name] !== number) {
        this.faults.push(`counts: ${name}: ${number} counted, ${given[name]} stated`);
      }
    }
    const [here, there] = [many(others, "other forecast"), many(elsewhere.length, "forecast")];
    const part = this.first === 1 ? "" : ` from entry ${this.first} on`;
    const whole = this.faults.length
      ? ""
      : " No outcome and no later wording of the published questions was left out.";
    this.said.push(
      `Not published${part}: ${here} on these questions, and ${there} on ` +
        `${many(questions, "other question")}; their authors are hidden.${whole}`,
    );
    if (ties) {
      const named = `${many(ties, "tie")} of these questions (groups, conditions, links)`;
      this.said.push(`Not published${part}: ${named}.`);
    }
  }

  async stamps(given) {
    const found = [];
    for (const [digest, token] of Object.entries(given)) {
      const named = `the stamp of ${digest.slice(0, 20)}…`;
      const [place, hash_] = digest.split("-");
      if (this.entries.get(Number(place))?.hash !== hash_) {
        this.faults.push(`${named} does not belong to this chain`);
        continue;
      }
      try {
        const [imprint, time] = await stamped(Uint8Array.from(atob(token), (c) => c.charCodeAt(0)));
        if (hex(imprint) === (await sha256(digest))) found.push([Number(place), time]);
        else this.faults.push(`${named} is for another digest`);
      } catch {
        this.faults.push(`${named} is damaged or was altered`);
      }
    }
    return found.sort((one, other) => one[0] - other[0]);
  }

  times(stamps) {
    let [proved, covered, longest] = [0, 0, 0];
    const found = new Map();
    const count = (what) => found.set(what, (found.get(what) ?? 0) + 1);
    for (const { place, row, name } of this.forecasts) {
      if (!this.entries.has(place)) continue;
      proved += 1;
      const at = this.entries.get(place).at ?? row.recorded_at;
      if (row.made_at > at) this.faults.push(`${name}: made after it was recorded, at ${at}`);
      if (row.made_at < at) {
        const by = row.vouched_by_id ?? null;
        const names = new Map([[row.member_id, "the forecaster"], [null, "an unknown member"]]);
        const who = names.get(by) ?? this.handles.get(by) ?? "another member";
        count(`imported by ${who}, who alone vouches for the earlier time`);
      }
      const before = stamps.findLast((stamp) => stamp[0] < place);
      const after = stamps.find((stamp) => stamp[0] >= place);
      if (before && micros(at) < before[1] - HOUR) {
        this.faults.push(`${name}: recorded after a later stamp, so backdated`);
      }
      if (after && micros(at) > after[1] + HOUR) {
        this.faults.push(`${name}: stamped before it was recorded, at ${at}`);
      }
      if (after) {
        covered += 1;
        longest = Math.max(longest, after[1] - micros(at));
      } else {
        count("without a later stamp: only the ledger vouches for the time");
      }
    }
    if (covered) {
      const hours = `${(longest / HOUR).toFixed(1)} hours after being recorded`;
      const stamped_ = `${covered} of ${many(proved, "forecast")} stamped`;
      this.said.push(`Times: ${stamped_}, at most ${hours}, if the signatures are right.`);
    }
    if (proved && !stamps.length) this.said.push(NO_STAMPS);
    for (const what of [...found.keys()].sort().reverse()) {
      this.said.push(`Times: ${many(found.get(what), "forecast")} ${what}.`);
    }
  }
}

async function stamped(token) {
  const signed = der(inside(token, 0, 1, 1, 0));
  const content = inside(signed[2], 1, 0);
  const signer = der(inside(signed.at(-1), 0));
  const attributes = der(signer[3]).map(der);
  const [[, values]] = attributes.filter(([name]) => hex(name) === MESSAGE_DIGEST);
  const name = SHA2[hex(inside(signer[2], 0)).slice(-4)];
  if (hex(await hash(content, name)) !== hex(inside(values, 0))) throw new TypeError();
  const fields = der(inside(content, 0));
  const text = new TextDecoder().decode(fields[4]);
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(text);
  const [year, month, ...rest] = parts.map(Number);
  return [inside(fields[2], 1), Date.UTC(year, month - 1, ...rest) * 1000];
}

function der(data) {
  const found = [];
  for (let at = 0; at < data.length; ) {
    let size = data[at + 1];
    at += 2;
    if (size > 127) {
      const digits = data.slice(at, at + size - 128);
      at += size - 128;
      size = digits.reduce((number, byte) => number * 256 + byte, 0);
    }
    found.push(data.slice(at, at + size));
    at += size;
  }
  return found;
}

function inside(data, ...path) {
  return path.reduce((part, index) => {
    const found = der(part)[index];
    if (found === undefined) throw new TypeError();
    return found;
  }, data);
}

function brier(wording, outcome, path) {
  if (outcome === null || ["annulled", "ambiguous"].includes(outcome)) return null;
  if (["numeric", "date"].includes(wording.type)) return null;
  const opens = micros(wording.open_time);
  const closes = micros(wording.actual_close_time ?? wording.scheduled_close_time);
  let [total, live] = [0, 0];
  path.forEach((row, at) => {
    const until = at + 1 < path.length ? Math.min(closes, micros(path[at + 1].made_at)) : closes;
    const time = until - Math.max(opens, micros(row.made_at));
    if (time > 0 && !row.withdrawn) {
      total += time * distance(row, wording.options ?? null, outcome);
      live += time;
    }
  });
  return live ? total / live : null;
}

function distance(row, options, outcome) {
  if (options === null) {
    return (row.probability - Number({ yes: 1, no: 0 }[outcome] ?? outcome)) ** 2;
  }
  const vector = [...row.probabilities];
  const last = vector.pop();
  while (vector.length < options.length - 1) vector.push(null);
  vector.push(last);
  const outcomeAt = options.indexOf(outcome);
  const hit = vector[outcomeAt] === null ? options.length - 1 : outcomeAt;
  return vector.reduce((sum, p, k) => (p === null ? sum : sum + (p - (k === hit)) ** 2), 0) / 2;
}

function held(condition, outcome, type) {
  if (["annulled", "ambiguous"].includes(outcome)) return false;
  if (type === "multiple_choice") return condition === outcome;
  const value = figure(outcome, type);
  if (type === "binary") return value === figure(condition, type);
  const [low, high] = condition.split("..");
  const least = low ? figure(low, type) : -Infinity;
  const most = high ? figure(high, type) : Infinity;
  if ([value, least, most].some(Number.isNaN)) return null;
  return (least <= value && value < most) || (value === most && most === Infinity);
}

function figure(text, type) {
  const known = { yes: 1, no: 0, below_lower_bound: -Infinity, above_upper_bound: Infinity };
  if (Object.hasOwn(known, text)) return known[text];
  if (type !== "date") return Number(text);
  return /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
}

async function checked(bytes) {
  const check = new Check();
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    await check.all(strict(text));
  } catch (error) {
    check.faults.push(`record.json cannot be read: ${error.message}`);
  }
  return check;
}

async function show(bytes, name) {
  const list = (name, lines) =>
    document.getElementById(name).replaceChildren(
      ...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
    );
  if (!globalThis.crypto?.subtle) {
    say("Browsers check only over https or from a file. Run python3 -I verify.py instead.");
    return;
  }
  say("Checking…");
  const check = await checked(bytes);
  list("proof-faults", check.faults);
  list("proof-said", check.said);
  document.getElementById("proof-hash").textContent = hex(await hash(bytes));
  say(`${name}: ${check.verdict}`);
}

function say(what) {
  document.getElementById("proof-state").textContent = what;
}

document.getElementById("proof-file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (file) show(await file.arrayBuffer(), file.name);
});
if (location.protocol === "file:") {
  say("A page that is opened as a file cannot read the record beside it: choose record.json.");
} else {
  fetch("record.json")
    .then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new TypeError())))
    .then((bytes) => show(bytes, "record.json"))
    .catch(() => say("The record beside this page cannot be read: choose a file record.json."));
}
