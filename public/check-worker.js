// Checks a registration file off the main thread, with the WASM module that the page has already compiled.
// In: {module}, and when there is a file {file, options: Postcard}. Out: {read: bytes so far}…, then {report: JSON,
// memory: bytes} or {failed: sentence}.
import { initSync, FileCheck, unreadable_sentence } from "./muster.js";

const PIECE_BYTES = 1024 * 1024; // Large enough that what the browser does for each hardly counts.
const TELL_MS = 50; // A bar that moves 20 times a second moves smoothly; the page has other things to do.

let begun;

self.onmessage = async ({ data: { module, file, options } }) => {
  // Should it fail, that is told when there is a file.
  if (module) begun = new Promise((resolve) => resolve(initSync({ module })));
  if (!file) return void begun.catch(() => {});
  try {
    const { memory } = await begun;
    const check = new FileCheck(PIECE_BYTES, options);
    let read = 0;
    let told = performance.now();
    for await (const piece of pieces(file)) {
      if (!check.push(piece)) break;
      read += piece.length;
      if (performance.now() - told < TELL_MS) continue;
      told = performance.now();
      self.postMessage({ read });
    }
    self.postMessage({ report: check.finish(), memory: memory.buffer.byteLength });
  } catch (error) {
    const sentence = error instanceof DOMException ? unreadable_sentence(error) : String(error?.message ?? error);
    self.postMessage({ failed: sentence });
  }
};

// The reader of the file. It is held here because browsers clear away one that only its own pending read refers to,
// and then that read never ends.
let reader;

// A file piece by piece. A piece is gone when the next one is asked for: all are read into the same memory.
async function* pieces(file) {
  let at = 0;
  try {
    reader = file.stream().getReader({ mode: "byob" });
    let buffer = new ArrayBuffer(PIECE_BYTES);
    while (true) {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      if (done) break;
      at += value.length;
      yield value;
      buffer = value.buffer;
    }
  } catch {
    // Not every browser reads so. If it is the file that cannot be read, the slices tell.
  }
  while (at < file.size) {
    const slice = new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer());
    at += slice.length;
    yield slice;
  }
}
