// The server on one database, without a browser: registering, the device endpoint, tokens for all, and the grid.
// Usage: node bench/server.mjs ROWS [postgres://…]
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Postcard } from "./postcard.mjs";

const rows = Number(process.argv[2] ?? 1_000_000);
const postgres = process.argv[3];
const PART_ROWS = 10_000;
const PARTS_AT_ONCE = 6;
/** One of so many devices reports, spread over the whole fleet. */
const REPORTS_EACH = 10;
const LOAD_MS = rows < 100_000 ? 500 : 5_000;
const RUNS = 100;
/** But whoever is as slow as this is not asked a hundred times, and the table says so. */
const MOST_MS = 30_000;
/** What the page must stay under, whatever is asked of it. */
const PAGE_LIMIT_MS = 50;
/** The same, while so many ask at once and so many reports a second come in. */
const BUSY_PAGE_LIMIT_MS = 100;
const BUSY_CLIENTS = 16;
const BUSY_REPORTS_A_SECOND = 1_000;
const BUSY_MS = rows < 100_000 ? 1_000 : 20_000;
/** What the server may take, whatever is asked of it. */
const MEMORY_LIMIT_MIB = 1_024;
/** Small groups that are chosen together. */
const SMALL_GROUPS = Array.from({ length: 17 }, (_, at) => `Hall ${at}`);
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
let tokensMs;
let registrationId;
const none = { search: null, status: null, model: null, tier: null, groups: [], never_seen: false, registration: null };
const everything = { filter: none, registered_by: Number.MAX_SAFE_INTEGER, except: [], after: null };
try {
  await start();
  const signedIn = await ask("POST", "/fn/sign-in", json({ ...person, to: "/devices" }));
  cookie = signedIn.headers["set-cookie"][0].split(";")[0];
  const tokens = await registering();
  memory("after registering");
  await devices(tokens);
  await tokensForAll(tokens[0]);
  const views = await grid();
  await gridInCompany(views, tokens.slice(1));
  await reportsBesideSearches(tokens.slice(1));
  memory("at the end");
  await firstPageAfterStart();
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
  const env = { PATH: process.env.PATH, MUSTER_DATABASE_URL: database, MUSTER_DATA_DIR: folder, MUSTER_LOG: "error", MUSTER_ACCOUNT_RATE: "100000", MUSTER_ADMIN_EMAIL: person.email, MUSTER_ADMIN_PASSWORD: person.password };
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
  const ended = new Promise((done) => server.removeAllListeners("exit").once("exit", done));
  server.kill("SIGTERM");
  await Promise.race([ended, new Promise((done) => setTimeout(done, 11_000))]);
}

function json(value) {
  return { type: "application/json", bytes: Buffer.from(JSON.stringify(value)) };
}

/** One request over a connection that is kept. */
function ask(method, path, body, headers = {}, through = agent) {
  const [host, port] = address.split(":");
  const sent = body ? { "content-type": body.type, "content-length": body.bytes.length } : {};
  const all = { origin: `http://${address}`, accept: "application/json", ...(cookie ? { cookie } : {}), ...sent, ...headers };
  return new Promise((done, failed) => {
    const asked = request({ agent: through, host, port, method, path, headers: all }, (answer) => {
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

/** A call that answers with Postcard. */
async function postcardCall(name, value) {
  const answer = await ask("POST", `/fn/${name}`, json(value));
  if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${answer.body}`);
  return new Postcard(answer.body);
}

/** The tokens in rows of tokens.csv. */
function tokensIn(bytes) {
  return bytes.toString().split("\n").filter(Boolean).map((line) => line.split(",")[1]);
}

function rate(devices, ms) {
  return `${Math.round(devices / (ms / 1_000)).toLocaleString("en")} a second`;
}

/** How much memory the server has had at once since it was started, where the system tells. */
function memory(when) {
  const file = `/proc/${server.pid}/status`;
  if (!existsSync(file)) return;
  const mib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(file, "utf8"))[1]) / 1_024;
  table.push([`memory of the server at its peak, ${when}`, `${Math.round(mib)} MiB`, `${MEMORY_LIMIT_MIB} MiB`, (mib / MEMORY_LIMIT_MIB).toFixed(2)]);
}

/** Registers the fleet as the page does: in parts, several under way. Gives the tokens of those that report. */
async function registering() {
  for (const title of MODELS) {
    const definition = Buffer.from(JSON.stringify({ "@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "tm:ThingModel", title, properties: { altitude: { type: "number" } } }));
    await ask("POST", "/fn/upload-model", { type: "application/x-postcard", bytes: Buffer.concat([varint(definition.length), definition]) });
  }
  const count = Math.ceil(rows / PART_ROWS);
  const id = await call("begin-registration", { file_name: "fleet.csv", devices: rows, parts: count, group: null });
  const registration = Buffer.from(id.replaceAll("-", ""), "hex");
  // Comma, the five fields in their order, no header: `muster_domain::Layout`, as Postcard writes it.
  const layout = Buffer.from([0, 5, 1, 0, 1, 1, 1, 2, 1, 3, 1, 4, 0]);
  const partOf = (number) => {
    const first = number * PART_ROWS;
    const lines = Array.from({ length: Math.min(PART_ROWS, rows - first) }, (_, at) => rowOf(first + at));
    const bytes = Buffer.from(lines.join(""));
    const head = [varint(16), registration, varint(number), varint(1), Buffer.from([0]), layout, varint(0), varint(first + 1), varint(bytes.length)];
    return { type: "application/x-postcard", bytes: Buffer.concat([...head, bytes]) };
  };
  // What the client can do before and after, it does not do while the server works beside it.
  const parts = Array.from({ length: count }, (_, number) => partOf(number));
  const answers = [];
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const number = next++;
      const answer = await ask("POST", "/fn/register-part", parts[number]);
      if (answer.status !== 200) throw new Error(`part ${number}: ${answer.status} ${answer.body}`);
      answers.push(answer.body);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: PARTS_AT_ONCE }, lane));
  registeringMs = performance.now() - begun;
  await call("finish-registration", { registration: id });
  registrationId = id;
  let registered = 0;
  const reporting = [];
  for (const answer of answers) {
    // Four counts, and the rows of tokens.csv.
    const done = new Postcard(answer);
    registered += [done.number(), done.number(), done.number(), done.number()][0];
    const tokens = tokensIn(done.bytes());
    reporting.push(...tokens.slice(0, Math.ceil(tokens.length / REPORTS_EACH)));
  }
  if (registered !== rows) throw new Error(`${registered} of ${rows} were registered`);
  return reporting;
}

function rowOf(at) {
  const friendly = at % 3 === 0 ? "" : `Machine ${(at * 7919) % rows}`;
  return `${SITES[at % 10]}-${String((at * 7919) % 10_000_019).padStart(8, "0")}-${at},${MODELS[at % 12]},${friendly},Hall ${at % 97},${TIERS[at % 5]}\n`;
}

/** Does this over 32 connections, until it says that it is over; gives how often, and the milliseconds it took. */
async function load(make, isOver) {
  let done = 0;
  const lane = async () => {
    while (!isOver()) {
      const answer = await make();
      if (answer.status >= 300) throw new Error(`${answer.status} ${answer.body}`);
      done += 1;
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: 32 }, lane));
  return { done, ms: performance.now() - begun };
}

/** Requests a second, of a request made anew each time. */
async function perSecond(make) {
  const over = performance.now() + LOAD_MS;
  const { done, ms } = await load(make, () => performance.now() >= over);
  return (done * 1_000) / ms;
}

async function devices(tokens) {
  let next = 0;
  const body = json({ altitude: 1200 });
  const report = () => ask("POST", "/device/v1/state", body, { authorization: `Bearer ${tokens[next++ % tokens.length]}` });
  const nothing = await perSecond(() => ask("GET", "/healthz"));
  const beside = `${Math.round(nothing)} a second of a route that does nothing`;
  const first = await load(report, () => next >= tokens.length);
  const firsts = (first.done * 1_000) / first.ms;
  const reports = await perSecond(report);
  table.push([`first reports of ${tokens.length.toLocaleString("en")} devices, stored and durable`, `${Math.round(firsts)} a second`, beside, (firsts / nothing).toFixed(2)]);
  table.push(["further reports of them", `${Math.round(reports)} a second`, beside, (reports / nothing).toFixed(2)]);
}

/** Generates tokens for all that there are, as the page does it: one call after the other. */
async function tokensForAll(active) {
  const id = randomUUID();
  const answers = [];
  let after = null;
  const begun = performance.now();
  do {
    const answer = await postcardCall("generate-tokens", { targets: { Matching: { ...everything, after } }, old: "KeepUntilNewIsUsed", job: { id, attempt: 1 } });
    const bytes = answer.bytes();
    answers.push({ bytes, devices: answer.number() });
    after = answer.option(() => answer.bytes().toString());
  } while (after);
  tokensMs = performance.now() - begun;
  let made = 0;
  const seen = new Set();
  for (const { bytes, devices } of answers) {
    const tokens = tokensIn(bytes);
    if (tokens.length !== devices) throw new Error(`${tokens.length} tokens are said to be ${devices}`);
    made += devices;
    for (const token of tokens) seen.add(token);
  }
  if (made !== rows || seen.size !== rows) throw new Error(`${seen.size} tokens, said to be ${made}, for ${rows} devices`);
  // A token that was in use goes on working, and so does a new one; the device is active already.
  const body = json({ altitude: 1200 });
  const device = (token) => token.slice(4, 26);
  const another = [...seen].find((token) => device(token) === device(active));
  for (const token of [active, another]) {
    const answer = await ask("POST", "/device/v1/state", body, { authorization: `Bearer ${token}` });
    if (answer.status !== 204) throw new Error(`a token that should work: ${answer.status}`);
  }
}

async function grid() {
  const large = await chunks({ tier: "Large" }, { AddToGroup: "Berlin" });
  await chunks({ model: MODELS[2] }, { AddToGroup: "Paris" });
  const few = Math.min(100, Math.floor(rows / SMALL_GROUPS.length));
  for (const [at, group] of SMALL_GROUPS.entries()) {
    const names = Array.from({ length: few }, (_, number) => rowOf(number * SMALL_GROUPS.length + at).split(",")[0]);
    await call("change-devices", { targets: { Named: names }, change: { AddToGroup: group } });
  }
  // After a start, a search reads what it looks into from the database: the first is not like those that follow.
  const cold = await times(() => call("count-devices", { filter: { ...none, search: "qzx" } }), 1);
  await chunks({ search: SITES[0] }, "Disable");
  const views = {
    "first page": {},
    "last page": { position: "Last" },
    "a page in the middle": { position: { After: "essen-05000000" } },
    "by model": { sort: "Model" },
    "by friendly name, last page": { sort: "FriendlyName", position: "Last" },
    "by tier, descending": { sort: "Tier", is_descending: true },
    "by status": { sort: "Status" },
    "by last seen, descending": { sort: "LastSeen", is_descending: true },
    "never seen": { filter: { ...none, never_seen: true } },
    "Active": { filter: { ...none, status: "Active" } },
    "Active, by last seen, descending": { filter: { ...none, status: "Active" }, sort: "LastSeen", is_descending: true },
    "Disabled, by last seen, descending": { filter: { ...none, status: "Disabled" }, sort: "LastSeen", is_descending: true },
    "one model, by last seen": { filter: { ...none, model: MODELS[3] }, sort: "LastSeen" },
    "one model, by friendly name": { filter: { ...none, model: MODELS[3] }, sort: "FriendlyName" },
    "one model and tier, last page": { filter: { ...none, model: MODELS[3], tier: "Medium" }, position: "Last" },
    "by friendly name": { sort: "FriendlyName" },
    "one tier, by friendly name": { filter: { ...none, tier: "Medium" }, sort: "FriendlyName" },
    [`a group of ${large.toLocaleString("en")}`]: { filter: { ...none, groups: ["Berlin"] } },
    "the same, by status, descending": { filter: { ...none, groups: ["Berlin"] }, sort: "Status", is_descending: true },
    "the same, one model": { filter: { ...none, groups: ["Berlin"], model: MODELS[3] } },
    [`17 groups of ${few}, by name`]: { filter: { ...none, groups: SMALL_GROUPS } },
    "the same and the large one, by name": { filter: { ...none, groups: [...SMALL_GROUPS, "Berlin"] } },
    "two groups, by last seen": { filter: { ...none, groups: ["Berlin", "Paris"] }, sort: "LastSeen" },
    "a registration, last page": { filter: { ...none, registration: registrationId }, position: "Last" },
    "a search that finds one": { filter: { ...none, search: `-${rows - 1}` } },
    "a search that finds some thousand, by last seen": { filter: { ...none, search: "machine 12" }, sort: "LastSeen" },
    "a search that finds a tenth, all at the end": { filter: { ...none, search: "zwickau" } },
    "the same, by tier": { filter: { ...none, search: "zwickau" }, sort: "Tier" },
    "the same, by last seen": { filter: { ...none, search: "zwickau" }, sort: "LastSeen" },
    "the same, by last seen, descending": { filter: { ...none, search: "zwickau" }, sort: "LastSeen", is_descending: true },
    "a search that finds a tenth, last page": { filter: { ...none, search: "aachen" }, position: "Last" },
    "a search that finds two thirds, by friendly name": { filter: { ...none, search: "machine" }, sort: "FriendlyName" },
    "a search that finds all": { filter: { ...none, search: "contoso" } },
    "a search that finds nothing": { filter: { ...none, search: "qzx" } },
    "a search of two letters": { filter: { ...none, search: "qz" } },
    "a search in a tier": { filter: { ...none, tier: "Small", search: "machine 1" } },
    "a search by status, last page": { filter: { ...none, search: "machine" }, sort: "Status", position: "Last" },
    "a search among the Disabled, which stand elsewhere": { filter: { ...none, status: "Disabled", search: "zwickau" } },
    "the Registered, by friendly name": { filter: { ...none, status: "Registered" }, sort: "FriendlyName" },
    "a search in a group": { filter: { ...none, groups: ["Berlin"], search: "machine 1" } },
  };
  for (const [what, change] of Object.entries(views)) {
    const view = { filter: none, sort: "Name", is_descending: false, position: "First", ...change };
    // Each time a row more, which is another page: one that was asked for already is cached.
    let limit = 100;
    const page = await times(() => call("devices", { query: { ...view, limit: limit++ } }));
    if (what === "a search that finds one") table.push(["grid: the first search of all", `${cold.p50.toFixed(1)} ms`, "", ""]);
    table.push([`grid: ${what}`, told(page), `${PAGE_LIMIT_MS} ms`, (page.p99 / PAGE_LIMIT_MS).toFixed(2)]);
  }
  return Object.values(views).map((change) => ({ filter: none, sort: "Name", is_descending: false, position: "First", ...change }));
}

/** All views at once by many clients, while devices report. */
async function gridInCompany(views, tokens) {
  const body = json({ altitude: 1400 });
  const reporting = new Agent({ keepAlive: true, maxSockets: 64 });
  const active = await activeOf(tokens, 2_000);
  let isOver = false;
  let sent = 0;
  let stored = 0;
  let underWay = 0;
  const begun = performance.now();
  // At this rate, whatever the server does; but no more under way than there are connections.
  const pacer = setInterval(() => {
    const due = ((performance.now() - begun) / 1_000) * BUSY_REPORTS_A_SECOND;
    for (; sent < due; sent++) {
      if (underWay >= 64) continue;
      underWay += 1;
      ask("POST", "/device/v1/state", body, { authorization: `Bearer ${active[sent % active.length]}` }, reporting).then((answer) => {
        underWay -= 1;
        stored += answer.status === 204;
      });
    }
  }, 5);
  const all = [];
  const lane = async (_, at) => {
    const through = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let next = at * 3; !isOver; next++) {
      const start = performance.now();
      const answer = await ask("POST", "/fn/devices", json({ query: views[next % views.length] }), {}, through);
      if (answer.status !== 200) throw new Error(`a page in company: ${answer.status} ${answer.body}`);
      all.push(performance.now() - start);
    }
    through.destroy();
  };
  const lanes = Array.from({ length: BUSY_CLIENTS }, lane);
  await new Promise((done) => setTimeout(done, BUSY_MS));
  isOver = true;
  await Promise.all(lanes);
  const seconds = (performance.now() - begun) / 1_000;
  clearInterval(pacer);
  while (underWay > 0) await new Promise((done) => setTimeout(done, 10));
  reporting.destroy();
  const { runs, p50, p99 } = percentiles(all);
  const what = `grid: all views in turn, ${BUSY_CLIENTS} clients at once, beside ${Math.round(stored / seconds)} reports a second of ${BUSY_REPORTS_A_SECOND}`;
  table.push([what, `${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (${Math.round(runs / seconds)} pages a second)`, `${BUSY_PAGE_LIMIT_MS} ms`, (p99 / BUSY_PAGE_LIMIT_MS).toFixed(2)]);
}

/** The first page by name, asked of a server that has just started. */
async function firstPageAfterStart() {
  const all = [];
  for (let run = 0; run < 5; run++) {
    await stop();
    await start();
    const begun = performance.now();
    await call("devices", { query: { filter: none, sort: "Name", is_descending: false, position: "First" } });
    all.push(performance.now() - begun);
    const whole = performance.now();
    await call("devices", { query: { filter: none, sort: "Status", is_descending: false, position: "First" } });
    if (run === 4) table.push(["grid: by status, while the index is read after a start", `${(performance.now() - whole).toFixed(0)} ms`, "", ""]);
  }
  const { p50, p99 } = percentiles(all);
  table.push(["grid: the first page after a start", `${p50.toFixed(1)} ms, the slowest of five ${p99.toFixed(1)} ms`, "100 ms", (p99 / 100).toFixed(2)]);
}

/** How long a report takes while so many people search the whole fleet. */
async function reportsBesideSearches(tokens) {
  const searchers = 60;
  const body = json({ altitude: 1300 });
  const send = (token) => ask("POST", "/device/v1/state", body, { authorization: `Bearer ${token}` });
  const active = await activeOf(tokens, 300);
  let next = 0;
  const report = async () => {
    const answer = await send(active[next++ % active.length]);
    if (answer.status !== 204) throw new Error(`a report beside searches: ${answer.status} ${answer.body}`);
  };
  const alone = await times(report);
  let isOver = false;
  let searches = 0;
  const search = async () => {
    while (!isOver) {
      const answer = await ask("POST", "/fn/devices", json({ query: { filter: { ...none, search: `machine ${searches % 10}` }, sort: "FriendlyName", is_descending: false, position: "First" } }), {}, searching);
      if (![200, 429, 503].includes(answer.status)) throw new Error(`a search: ${answer.status} ${answer.body}`);
      searches += answer.status === 200;
    }
  };
  const searching = new Agent({ keepAlive: true, maxSockets: searchers });
  const loops = Array.from({ length: searchers }, search);
  // All of them have asked.
  while (searches < searchers) await new Promise((done) => setTimeout(done, 10));
  const beside = await times(report);
  isOver = true;
  await Promise.all(loops);
  searching.destroy();
  table.push([`a report, while ${searchers} people search`, told(beside), `alone ${told(alone)}`, (beside.p50 / alone.p50).toFixed(2)]);
}

/** The first of these tokens whose devices may report: some are disabled by now. */
async function activeOf(tokens, most) {
  const active = [];
  for (const token of tokens.slice(0, most)) {
    const answer = await ask("POST", "/device/v1/state", json({ altitude: 1250 }), { authorization: `Bearer ${token}` });
    if (answer.status === 204) active.push(token);
  }
  return active;
}

function told({ runs, p50, p99 }) {
  return `${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms${runs < RUNS ? ` (of ${runs} runs)` : ""}`;
}

/** Changes all that match a filter, as the page does it; gives how many they are. */
async function chunks(filter, change) {
  let after = null;
  let devices = 0;
  do {
    const outcome = await call("change-devices", { targets: { Matching: { ...everything, filter: { ...none, ...filter }, after } }, change });
    devices += outcome.devices;
    after = outcome.next;
  } while (after);
  return devices;
}

/** How long it takes, time after time. A percentile is that of the nearest rank: so many of a hundred are no slower. */
async function times(make, most = RUNS) {
  const all = [];
  const over = performance.now() + MOST_MS;
  while (all.length < most && performance.now() < over) {
    const begun = performance.now();
    await make();
    all.push(performance.now() - begun);
  }
  return percentiles(all);
}

function percentiles(all) {
  all.sort((a, b) => a - b);
  const rank = (percent) => all[Math.ceil((all.length * percent) / 100) - 1];
  return { runs: all.length, p50: rank(50), p99: rank(99) };
}

/** The same in the fastest plain way: see server/registry/examples/plain_load.rs. */
function plainLoad() {
  const done = spawnSync(process.env.PLAIN_LOAD_BIN ?? "target/release/examples/plain_load", [database], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (done.status !== 0) throw new Error(`plain_load ended with ${done.status}`);
  const { inserted, selected, tokens } = Object.fromEntries(done.stdout.trim().split("\n").map((line) => line.split(" ")).map(([what, ms]) => [what, Number(ms)]));
  const devices = rows.toLocaleString("en");
  const line = (what, ms, plain, how) => [what, rate(rows, ms), `${rate(rows, plain)} ${how}`, (plain / ms).toFixed(2)];
  const lines = [line(`${devices} new devices with tokens`, registeringMs, inserted, "in the fastest plain way")];
  if (selected) lines.push(line("the same", registeringMs, selected, "from another file of the database"));
  lines.push(line(`another token for each of ${devices} devices`, tokensMs, tokens, "in the fastest plain way"));
  table.unshift(...lines);
}
