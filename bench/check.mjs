// The check of a registration file in Chromium, beside reading the same file and doing nothing with it.
// Usage: node bench/check.mjs ROWS
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "../end2end/node_modules/@playwright/test/index.mjs";

const rows = Number(process.argv[2] ?? 1_000_000);
const runs = 5;
const folder = mkdtempSync(join(tmpdir(), "muster-bench-"));
const server = spawn("target/release/muster", ["serve", "--listen", "127.0.0.1:0", "--data-dir", folder]);
const address = await new Promise((resolve, reject) => {
  server.stdout.on("data", (text) => { const found = /http:\S+/.exec(String(text)); if (found) resolve(found[0]); });
  server.on("exit", () => reject(new Error("the server did not start")));
});
const system = "/usr/bin/chromium";
const browser = await chromium.launch({
  executablePath: existsSync(system) ? system : undefined,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
try {
  const page = await browser.newPage();
  await page.goto(`${address}/sign-in`);
  await page.waitForSelector("body[data-hydrated]");
  const measured = await page.evaluate(measure, { rows, runs });
  const ratio = measured.check / measured.read;
  console.log(`rows ${rows.toLocaleString("en")}, ${(measured.bytes / 1e6).toFixed(1)} MB, median of ${runs}`);
  console.log("| what | ms | times the reading alone |\n|---|---|---|");
  console.log(`| reading alone (slices of 4 MiB) | ${measured.read.toFixed(0)} | 1.0 |`);
  console.log(`| the check, all of it, in its worker | ${measured.check.toFixed(0)} | ${ratio.toFixed(1)} |`);
} finally {
  await browser.close();
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}

// Runs in the page.
async function measure({ rows, runs }) {
  const tiers = ["ExtraSmall", "Small", "Medium", "Large", ""];
  const pieces = [];
  for (let from = 0; from < rows; from += 10_000) {
    let text = "";
    for (let at = from; at < Math.min(from + 10_000, rows); at++) {
      text += `AutoRegister${String(at).padStart(7, "0")},Contoso.Aircraft.AircraftModel,Jet number ${at},Hangar ${at % 97},${tiers[at % 5]}\n`;
    }
    pieces.push(text);
  }
  const file = new File(pieces, "devices.csv");
  const script = document.querySelector("link[rel=modulepreload]").href;
  const module = await WebAssembly.compileStreaming(fetch(script.replace("muster.js", "muster_bg.wasm")));
  const check = () => new Promise((resolve, reject) => {
    const worker = new Worker(script.replace("muster.js", "check-worker.js"), { type: "module" });
    worker.onmessage = ({ data }) => {
      if (data.read !== undefined) return;
      worker.terminate();
      const devices = data.report && JSON.parse(data.report).devices;
      devices === rows ? resolve() : reject(new Error(`the check found ${devices} devices: ${data.failed ?? ""}`));
    };
    worker.postMessage({ module, file });
  });
  const read = async () => {
    for (let at = 0; at < file.size; at += 4 << 20) await file.slice(at, at + (4 << 20)).arrayBuffer();
  };
  const median = async (what) => {
    const times = [];
    for (let run = 0; run < runs; run++) {
      const begin = performance.now();
      await what();
      times.push(performance.now() - begin);
    }
    return times.sort((a, b) => a - b)[runs >> 1];
  };
  await read();
  return { bytes: file.size, read: await median(read), check: await median(check) };
}
