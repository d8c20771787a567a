// The server on one database, without a browser: registering, the grid, and the device endpoint.
// Usage: node bench/server.mjs ROWS [postgres://…]
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const rows = Number(process.argv[2] ?? 1_000_000);
const postgres = process.argv[3];
const PART_ROWS = 10_000;
const PARTS_AT_ONCE = 6;
const DEVICES = Math.min(rows, 5_000);
const LOAD_MS = rows < 100_000 ? 500 : 5_000;
const RUNS = rows < 100_000 ? 5 : 100;
/** What the page must stay under, whatever is asked of it. */
const PAGE_LIMIT_MS = 100;
const MODELS = Array.from({ length: 12 }, (_, at) => `Contoso.Model${String(at).padStart(2, "0")}`);
// Each of them is a tenth of the fleet, and stands together in the order of names.
const SITES = ["aachen", "berlin", "cottbus", "dresden", "essen", "freiburg", "goslar", "hamburg", "ulm", "zwickau"];
const TIERS = ["ExtraSmall", "Small", "Medium", "Large", ""];

const folder = mkdtempSync(join(tmpdir(), "muster-bench-"));
const database = postgres ?? `sqlite://${join(folder, "muster.db")}`;
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const person = { email: "bench@example.com", password: "correct-horse-1" };
let server;
let address;
let cookie = "";
const table = [];
let registeringMs;
let registrationId;
const none = { search: null, status: null, model: null, tier: null, groups: [], never_seen: false, registration: null };
const everything = { filter: none, registered_by_ms: Number.MAX_SAFE_INTEGER, except: [], after: null };
try {
  await start();
  const signedIn = await ask("POST", "/fn/sign-in", json({ ...person, to: "/devices" }));
  cookie = signedIn.headers["set-cookie"][0].split(";")[0];
  const tokens = await registering();
  await devices(tokens);
  await grid();
  await stop();
  plainLoad();
  console.log("| what | measured | beside | ratio |\n|---|---|---|---|");
  for (const [what, figure, beside, ratio] of table) console.log(`| ${what} | ${figure} | ${beside} | ${ratio} |`);
} finally {
  await stop();
  rmSync(folder, { recursive: true, force: true });
}

async function start() {
  const program = process.env.MUSTER_BIN ?? "target/release/muster";
  const env = { PATH: process.env.PATH, MUSTER_DATABASE_URL: database, MUSTER_DATA_DIR: folder, MUSTER_LOG: "error", MUSTER_ADMIN_EMAIL: person.email, MUSTER_ADMIN_PASSWORD: person.password };
  server = spawn(program, ["serve", "--listen", "127.0.0.1:0"], { env, stdio: ["ignore", "pipe", "inherit"] });
  address = await new Promise((done, failed) => {
    let said = "";
    server.once("exit", () => failed(new Error(`muster ended at once: ${said}`)));
    server.stdout.on("data", (text) => {
      said += text;
      const found = /^Muster is at http:\/\/(\S+)$/m.exec(said);
      if (found) done(found[1]);
    });
  });
}

async function stop() {
  if (!server || server.exitCode !== null) return;
  const ended = new Promise((done) => server.once("exit", done));
  server.removeAllListeners("exit").once("exit", () => {});
  server.kill("SIGTERM");
  await Promise.race([ended, new Promise((done) => setTimeout(done, 11_000))]);
}

function json(value) {
  return { type: "application/json", bytes: Buffer.from(JSON.stringify(value)) };
}

/** One request over a connection that is kept. */
function ask(method, path, body, headers = {}) {
  const [host, port] = address.split(":");
  const sent = body ? { "content-type": body.type, "content-length": body.bytes.length } : {};
  const all = { origin: `http://${address}`, accept: "application/json", ...(cookie ? { cookie } : {}), ...sent, ...headers };
  return new Promise((done, failed) => {
    const asked = request({ agent, host, port, method, path, headers: all }, (answer) => {
      const pieces = [];
      answer.on("data", (piece) => pieces.push(piece));
      answer.on("end", () => done({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) }));
    });
    asked.once("error", failed);
    asked.end(body?.bytes);
  });
}

async function call(name, value) {
  const answer = await ask("POST", `/fn/${name}`, json(value));
  if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${answer.body}`);
  return JSON.parse(answer.body);
}

function varint(number) {
  const bytes = [];
  do {
    bytes.push((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
    number = Math.floor(number / 128);
  } while (number > 0);
  return Buffer.from(bytes);
}

/** Registers the fleet as the page does: in parts, several under way. Gives some of the tokens. */
async function registering() {
  for (const title of MODELS) {
    const definition = Buffer.from(JSON.stringify({ "@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "tm:ThingModel", title, properties: { altitude: { type: "number" } } }));
    await ask("POST", "/fn/upload-model", { type: "application/x-postcard", bytes: Buffer.concat([varint(definition.length), definition]) });
  }
  const parts = Math.ceil(rows / PART_ROWS);
  const id = await call("begin-registration", { file_name: "fleet.csv", devices: rows, parts, group: null });
  const registration = Buffer.from(id.replaceAll("-", ""), "hex");
  // Comma, the five fields in their order, no header: `muster_domain::Layout`, as Postcard writes it.
  const layout = Buffer.from([0, 5, 1, 0, 1, 1, 1, 2, 1, 3, 1, 4, 0]);
  const partOf = (number) => {
    const first = number * PART_ROWS;
    const lines = Array.from({ length: Math.min(PART_ROWS, rows - first) }, (_, at) => rowOf(first + at));
    const bytes = Buffer.from(lines.join(""));
    const head = [varint(16), registration, varint(number), varint(1), Buffer.from([0]), layout, varint(first + 1), varint(bytes.length)];
    return { type: "application/x-postcard", bytes: Buffer.concat([...head, bytes]) };
  };
  const tokens = [];
  let next = 0;
  let registered = 0;
  // What a part costs to make is no matter of the server's.
  let making = 0;
  const lane = async () => {
    while (next < parts) {
      const number = next++;
      const begun = performance.now();
      const part = partOf(number);
      making += performance.now() - begun;
      const answer = await ask("POST", "/fn/register-part", part);
      if (answer.status !== 200) throw new Error(`part ${number}: ${answer.status} ${answer.body}`);
      const done = partDone(answer.body);
      registered += done.registered;
      if (tokens.length < DEVICES) tokens.push(...done.tokens);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: PARTS_AT_ONCE }, lane));
  const ms = performance.now() - begun - making;
  if (registered !== rows) throw new Error(`${registered} of ${rows} were registered`);
  await call("finish-registration", { registration: id });
  registeringMs = ms;
  registrationId = id;
  return tokens.slice(0, DEVICES);
}

function rowOf(at) {
  const friendly = at % 3 === 0 ? "" : `Machine ${(at * 7919) % rows}`;
  return `${SITES[at % 10]}-${String((at * 7919) % 10_000_019).padStart(8, "0")}-${at},${MODELS[at % 12]},${friendly},Hall ${at % 97},${TIERS[at % 5]}\n`;
}

/** The counts and tokens of a part's answer: four varints, then the bytes of rows of tokens.csv. */
function partDone(bytes) {
  let at = 0;
  const number = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  };
  const [registered] = [number(), number(), number(), number()];
  const length = number();
  const text = bytes.subarray(at, at + length).toString();
  return { registered, tokens: text.split("\r\n").filter(Boolean).map((line) => line.split(",")[1]) };
}

/** Requests a second over 32 connections, of a request made anew each time. */
async function perSecond(make) {
  let done = 0;
  let isOver = false;
  const lane = async () => {
    while (!isOver) {
      const answer = await make();
      if (answer.status >= 300) throw new Error(`${answer.status} ${answer.body}`);
      done += 1;
    }
  };
  const begun = performance.now();
  setTimeout(() => (isOver = true), LOAD_MS);
  await Promise.all(Array.from({ length: 32 }, lane));
  return (done * 1_000) / (performance.now() - begun);
}

async function devices(tokens) {
  let next = 0;
  const body = json({ altitude: 1200 });
  const report = () => ask("POST", "/device/v1/state", body, { authorization: `Bearer ${tokens[next++ % tokens.length]}` });
  const nothing = await perSecond(() => ask("GET", "/healthz"));
  await perSecond(report);
  const reports = await perSecond(report);
  table.push(["device reports, stored and durable", `${Math.round(reports)} a second`, `${Math.round(nothing)} a second of a route that does nothing`, (reports / nothing).toFixed(2)]);
}

async function grid() {
  for (const [group, filter] of [["Berlin", { tier: "Large" }], ["Paris", { model: MODELS[2] }]]) {
    await call("change-devices", { chosen: { Matching: { ...everything, filter: { ...none, ...filter } } }, change: { AddToGroup: group } });
  }
  // After a start, a search reads what it looks into from the database: the first is not like those that follow.
  const cold = await times(() => call("count-devices", { filter: { ...none, search: "qzx" } }), 1);
  await chunks({ search: SITES[0] }, "Disable");
  const views = {
    "first page": {},
    "last page": { place: "Last" },
    "a page in the middle": { place: { After: "essen-05000000" } },
    "by model": { sort: "Model" },
    "by friendly name, last page": { sort: "FriendlyName", place: "Last" },
    "by tier, descending": { sort: "Tier", is_descending: true },
    "by status": { sort: "Status" },
    "by last seen, descending": { sort: "LastSeen", is_descending: true },
    "never seen": { filter: { ...none, never_seen: true } },
    "Active": { filter: { ...none, status: "Active" } },
    "one model, by friendly name": { filter: { ...none, model: MODELS[3] }, sort: "FriendlyName" },
    "one model and tier, last page": { filter: { ...none, model: MODELS[3], tier: "Medium" }, place: "Last" },
    "by friendly name": { sort: "FriendlyName" },
    "one tier, by friendly name": { filter: { ...none, tier: "Medium" }, sort: "FriendlyName" },
    "a group": { filter: { ...none, groups: ["Berlin"] } },
    "two groups, by last seen": { filter: { ...none, groups: ["Berlin", "Paris"] }, sort: "LastSeen" },
    "a registration, last page": { filter: { ...none, registration: registrationId }, place: "Last" },
    "a search that finds one": { filter: { ...none, search: `-${rows - 1}` } },
    "a search that finds some thousand, by last seen": { filter: { ...none, search: "machine 12" }, sort: "LastSeen" },
    "a search that finds a tenth, all at the end": { filter: { ...none, search: "zwickau" } },
    "the same, by tier": { filter: { ...none, search: "zwickau" }, sort: "Tier" },
    "a search that finds a tenth, last page": { filter: { ...none, search: "aachen" }, place: "Last" },
    "a search that finds two thirds, by friendly name": { filter: { ...none, search: "machine" }, sort: "FriendlyName" },
    "a search that finds all": { filter: { ...none, search: "contoso" } },
    "a search that finds nothing": { filter: { ...none, search: "qzx" } },
    "a search of two letters": { filter: { ...none, search: "qz" } },
    "a search in a tier": { filter: { ...none, tier: "Small", search: "machine 1" } },
    "a search by status, last page": { filter: { ...none, search: "machine" }, sort: "Status", place: "Last" },
    "a search among the Disabled, which stand elsewhere": { filter: { ...none, status: "Disabled", search: "zwickau" } },
    "the Registered, by friendly name": { filter: { ...none, status: "Registered" }, sort: "FriendlyName" },
    "a search in a group": { filter: { ...none, groups: ["Berlin"], search: "machine 1" } },
  };
  for (const [what, change] of Object.entries(views)) {
    const view = { filter: none, sort: "Name", is_descending: false, place: "First", ...change };
    const page = await times(() => call("devices", { view }));
    const total = await times(() => call("count-devices", { filter: view.filter }));
    if (what === "a search that finds one") table.push(["grid: the first search after a start", `${cold.p50.toFixed(1)} ms`, "", ""]);
    table.push([`grid: ${what}`, `${page.p50.toFixed(1)} ms, p99 ${page.p99.toFixed(1)} ms`, `count ${total.p50.toFixed(1)} ms, p99 ${total.p99.toFixed(1)} ms`, `${(page.p99 / PAGE_LIMIT_MS).toFixed(2)} of ${PAGE_LIMIT_MS} ms`]);
  }
}

/** Changes all that match a filter, as the page does it. */
async function chunks(filter, change) {
  let after = null;
  do {
    const step = await call("change-devices", { chosen: { Matching: { ...everything, filter: { ...none, ...filter }, after } }, change });
    after = step.next;
  } while (after);
}

/** How long it takes, time after time, but for no more than some seconds. */
async function times(make, runs = RUNS) {
  const all = [];
  const over = performance.now() + 10_000;
  for (let run = 0; run < runs && performance.now() < over; run++) {
    const begun = performance.now();
    await make();
    all.push(performance.now() - begun);
  }
  all.sort((a, b) => a - b);
  return { p50: all[Math.floor(all.length / 2)], p99: all[Math.ceil(all.length * 0.99) - 1] };
}

/** The same rows into the same tables and indexes in the fastest plain way: see server/registry/examples/plain_load.rs. */
function plainLoad() {
  const done = spawnSync(process.env.PLAIN_LOAD_BIN ?? "target/release/examples/plain_load", [database], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (done.status !== 0) throw new Error(`plain_load ended with ${done.status}`);
  const [plain, selected] = done.stdout.trim().split("\n").map(Number);
  const rate = (ms) => `${Math.round(rows / (ms / 1_000)).toLocaleString("en")} a second`;
  const what = `${rows.toLocaleString("en")} new devices with tokens`;
  if (selected) table.unshift([what, rate(registeringMs), `${rate(selected)} from another file of the database`, (selected / registeringMs).toFixed(2)]);
  table.unshift([what, rate(registeringMs), `${rate(plain)} in the fastest plain way`, (plain / registeringMs).toFixed(2)]);
}
