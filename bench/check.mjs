// The check of a registration file in Chromium, beside reading the same file and doing nothing with it, and beside
// two parsers of CSV that are given the same rules. Usage: node bench/check.mjs ROWS
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { chromium } from "../end2end/node_modules/@playwright/test/index.mjs";

const RUNS = 5;
/** What the check may take of the browser's memory. */
const MEMORY_LIMIT = 60 * 2 ** 20;
const rows = Number(process.argv[2] ?? 1_000_000);
const here = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), "muster-bench-"));
const person = { email: "bench@example.com", password: "correct-horse-1" };
const peers = [
  join(here, "peers/rules.js"),
  join(here, "peers/papaparse.js"),
  join(here, "peers/udsv.js"),
  join(here, "node_modules/papaparse/papaparse.min.js"),
  join(here, "node_modules/udsv/dist/uDSV.iife.min.js"),
];

const tiers = ["ExtraSmall", "Small", "Medium", "Large", ""];
const good = fileOf("good.csv", (name, at) => `${name},Contoso.Aircraft.AircraftModel,Jet number ${at},Hangar ${at % 97},${tiers[at % 5]}`);
const bad = fileOf("bad.csv", (name, at) => `${name},Contoso.Aircraft.AircraftModel,Jet number ${at},Hangar ${at % 97},small`);
// As much to be shown as there can be: many causes, each with its rows.
const motley = fileOf("motley.csv", (name, at) => `${name},Contoso.Aircraft.AircraftModel,Jet number ${at},Hangar ${at % 97},small${at % 997}`);
const twins = fileOf("twins.csv", (_, at) => `AutoRegister,Contoso.Aircraft.AircraftModel,Jet number ${at},Hangar ${at % 97},Small`);
const system = ["/usr/bin/chromium", "/usr/bin/chromium-headless-shell"].find((path) => existsSync(path));
let server;
let browser;
try {
  const program = process.env.MUSTER_BIN ?? "target/release/muster";
  const env = { ...process.env, MUSTER_ADMIN_EMAIL: person.email, MUSTER_ADMIN_PASSWORD: person.password };
  server = spawn(program, ["serve", "--listen", "127.0.0.1:0", "--data-dir", join(folder, "data")], { env });
  const address = await addressOf(server);
  browser = await chromium.launch({
    executablePath: system,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
  const page = await browser.newPage();
  // The peers are no part of Muster; their scripts are put beside its own for as long as this runs.
  await page.route("**/bench/*", (route) => {
    const path = peers.find((peer) => basename(peer) === basename(new URL(route.request().url()).pathname));
    return route.fulfill({ contentType: "text/javascript", body: readFileSync(path) });
  });
  await page.goto(`${address}/sign-in`);
  await page.waitForSelector("body[data-hydrated]");
  const everything = ["read", "check", "udsv", "papaparse"];
  const clean = await measured(page, good, everything);
  const broken = await measured(page, bad, everything);
  const repeated = await measured(page, twins, ["read", "check"]);
  print(clean, broken, repeated, await onThePage(page));
} finally {
  await browser?.close();
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
}

// The path of a file of so many rows.
function fileOf(name, row) {
  const path = join(folder, name);
  const out = openSync(path, "w");
  for (let from = 0; from < rows; from += 10_000) {
    let text = "";
    for (let at = from; at < Math.min(from + 10_000, rows); at++) text += `${row(`AutoRegister${String(at).padStart(7, "0")}`, at)}\n`;
    writeSync(out, text);
  }
  closeSync(out);
  return path;
}

// Where a server says that it listens.
function addressOf(server) {
  return new Promise((resolve, reject) => {
    server.stdout.on("data", (text) => { const found = /http:\S+/.exec(String(text)); if (found) resolve(found[0]); });
    server.on("error", reject);
    server.on("exit", () => reject(new Error("the server did not start")));
  });
}

// Measures all that can be measured of a file: medians in milliseconds, what was reported, and the check's memory.
async function measured(page, path, names) {
  await page.evaluate(() => {
    document.querySelector("#bench")?.remove();
    const input = document.createElement("input");
    Object.assign(input, { type: "file", id: "bench" });
    document.body.append(input);
  });
  await page.setInputFiles("#bench", path);
  return page.evaluate(measure, { names, runs: RUNS });
}

// Runs in the page.
async function measure({ names, runs }) {
  const file = document.querySelector("#bench").files[0];
  const script = document.querySelector("link[rel=modulepreload]").href;

  // A peer's report is JSON; Muster's is Postcard, whose first two numbers are the devices and the rows.
  const counts = (report) => {
    if (typeof report === "string") {
      const { devices, problem_count: problems } = JSON.parse(report);
      return { devices, problems };
    }
    let at = 0;
    const number = () => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = report[at++];
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) return value;
      }
    };
    const devices = number();
    return { devices, problems: number() - devices };
  };

  // A script in a worker that has begun, as Muster's has while the person looks for the file; the answer checks it.
  const worker = (url, options) => {
    const worker = new Worker(url, options);
    return () => new Promise((resolve, reject) => {
      let progress = 0;
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }) => {
        if (data.ready) return;
        if (data.read !== undefined) return progress++;
        worker.terminate();
        if (!data.report) return reject(new Error(data.failed));
        resolve({ ...counts(data.report), progress, memory: data.memory });
      };
      // Two zero bytes: no mapping, unknown columns are reported.
      worker.postMessage({ file, options: new Uint8Array(2) });
    });
  };
  const read = async () => {
    // Held by the window, as Muster's worker holds its own: see there.
    const reader = (window.benchReader = file.stream().getReader({ mode: "byob" }));
    let buffer = new ArrayBuffer(1024 * 1024);
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      if (done) return {};
      buffer = value.buffer;
    }
  };
  const what = {
    read: () => read,
    check: () => worker(script.replace("muster.js", "check-worker.js"), { type: "module" }),
    papaparse: () => worker("/bench/papaparse.js", {}),
    udsv: () => worker("/bench/udsv.js", {}),
  };

  const found = { bytes: file.size };
  for (const name of names) found[name] = { times: [] };
  // By turns, so that a busy moment of the machine is nobody's alone; and before one begins, its script has come and
  // what the last left behind is cleared away.
  for (let run = 0; run < runs; run++) {
    for (const name of names) {
      const check = what[name]();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const begin = performance.now();
      const result = await check();
      found[name].times.push(performance.now() - begin);
      Object.assign(found[name], result);
    }
  }
  for (const name of names) {
    found[name].first = found[name].times[0];
    found[name].ms = found[name].times.sort((a, b) => a - b)[runs >> 1];
  }
  return found;
}

// What the page itself does while it checks the good file, its longest task, and where its progress bar stood; and its
// longest task while it checks the motley one, shows what is to be mended, and opens the first list of it.
async function onThePage(page) {
  await page.getByLabel("Email").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/devices**");
  await page.waitForSelector("body[data-hydrated]");
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Register devices" }).click();
  await page.evaluate(() => {
    window.benchTasks = [];
    window.benchBar = new Set();
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) window.benchTasks.push(task.duration);
    }).observe({ type: "longtask" });
    const look = () => {
      const bar = document.querySelector("dialog progress");
      if (bar) window.benchBar.add(bar.value);
      requestAnimationFrame(look);
    };
    look();
  });
  const dialog = page.getByRole("dialog");
  // Long tasks are told a little later.
  const longest = async () => {
    await page.waitForTimeout(500);
    return page.evaluate(() => Math.max(0, ...window.benchTasks.splice(0)));
  };
  await dialog.locator("input[type=file]").setInputFiles(good);
  await dialog.getByRole("button", { name: "Upload", exact: true }).and(dialog.locator(":enabled")).waitFor();
  const seen = { longest: await longest(), stood: await page.evaluate(() => window.benchBar.size) };
  await dialog.locator("input[type=file]").setInputFiles(motley);
  await dialog.locator("details").first().waitFor();
  seen.longestBad = await longest();
  await dialog.locator("summary").first().click();
  await dialog.locator("details td").first().waitFor();
  seen.longestOpening = await longest();
  seen.listed = await dialog.locator("details tbody tr").count();
  return seen;
}

function print(clean, broken, repeated, seen) {
  if (clean.check.devices !== rows || broken.check.problems !== rows) throw new Error("the check is wrong");
  if (repeated.check.devices !== 1 || repeated.check.problems !== rows - 1) throw new Error("the check of names is wrong");
  if (clean.udsv.devices !== rows || clean.papaparse.devices !== rows) throw new Error("a peer's check is wrong");
  if (clean.check.memory > MEMORY_LIMIT) throw new Error(`the check takes ${clean.check.memory} bytes, and may take ${MEMORY_LIMIT}`);
  const line = (name, of, { ms, first, memory }, progress) => {
    const times = (peer) => (of[peer] ? (of[peer].ms / ms).toFixed(1) : "");
    const mib = memory ? (memory / 2 ** 20).toFixed(1) : "";
    console.log(`| ${name} | ${ms.toFixed(0)} | ${first.toFixed(0)} | ${(ms / of.read.ms).toFixed(1)} | ${times("udsv")} | ${times("papaparse")} | ${mib} | ${progress ?? ""} |`);
  };
  console.log(`${rows.toLocaleString("en")} rows, ${(statSync(good).size / 1e6).toFixed(1)} MB; median of ${RUNS}\n`);
  console.log("| what | ms | the first, ms | times the reading | times as quick as uDSV | as Papa Parse | WASM, MiB | progress told |");
  console.log("|---|---|---|---|---|---|---|---|");
  line("reading alone, one buffer", clean, clean.read);
  line("**the check**", clean, clean.check, clean.check.progress);
  line("uDSV and the rules", clean, clean.udsv);
  line("Papa Parse and the rules", clean, clean.papaparse);
  line("**the check**, a problem in every row", broken, broken.check, broken.check.progress);
  line("**the check**, one name in every row", repeated, repeated.check, repeated.check.progress);
  line("uDSV and the rules, a problem in every row", broken, broken.udsv);
  line("Papa Parse and the rules, a problem in every row", broken, broken.papaparse);
  console.log(`\nOn the page, while it checks: the longest task over 50 ms took ${seen.longest.toFixed(0)} ms; the bar stood at ${seen.stood} places.`);
  console.log(`With a problem of many kinds in every row, ${seen.listed.toLocaleString("en")} of them on the page, it took ${seen.longestBad.toFixed(0)} ms; and ${seen.longestOpening.toFixed(0)} ms to open the list of one kind.`);
}
