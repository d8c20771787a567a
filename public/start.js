// Starts the page: hands the server's HTML over to the WASM, which the page has begun to fetch. `app/src/early.js` runs
// before this, and hears of a failure.
const QUIET_MS = 5_000; // So long after the start, nothing that the page itself needs is still on its way.

try {
  musterWasm.catch(() => {}); // Reported below, where it is awaited.
  const { default: init, hydrate, load_parts } = await import("./muster.js");
  await init({ module_or_path: musterWasm });
  await hydrate();
  if (location.pathname !== "/sign-in") loadLater(load_parts);
} catch (error) {
  console.error(error);
  document.dispatchEvent(new Event("start-failed"));
}

// The parts that are loaded when they are opened: sooner, where the pointer or the focus comes near, and when it is quiet.
function loadLater(load) {
  const near = ({ target }) => target.closest?.("nav a, [aria-haspopup], main a") && load();
  document.addEventListener("pointerover", near, { passive: true });
  document.addEventListener("focusin", near);
  // A busy browser may never be idle: as long again at the latest.
  const whenIdle = (then) => (window.requestIdleCallback ? requestIdleCallback(then, { timeout: QUIET_MS }) : then());
  setTimeout(() => whenIdle(() => load()), QUIET_MS);
}
