// Checks a registration file off the main thread, with the WASM module that the page has already compiled.
// In: {module, file}. Out: {read: bytes so far}…, then {report: JSON} or {failed: sentence}.
import { initSync, check_file } from "./muster.js";
self.onmessage = async ({ data: { module, file } }) => {
  try {
    initSync({ module });
    const report = await check_file(file, (read) => self.postMessage({ read }));
    self.postMessage({ report });
  } catch (error) {
    self.postMessage({ failed: String(error?.message ?? error) });
  }
};
