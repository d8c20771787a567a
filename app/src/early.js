// What is done before the page listens. Nothing of it is lost: it is done again when the page has started.
// Inline in every page, so that it runs before anything can be clicked. Links and forms work by themselves.
(() => {
  // Each control once, in their order: somebody who presses a button again only presses it because nothing happened.
  const early = new Map();
  const control = ({ target }) => target.closest?.("button:not([type=submit]), input, select");
  const isTicked = (element) => ["checkbox", "radio"].includes(element.type);
  const isPressed = (element) => element.localName === "button" || isTicked(element);

  const press = (event) => {
    const element = control(event);
    if (!element || !isPressed(element)) return;
    event.preventDefault();
    early.set(element, () => element.click());
  };
  const type = (event) => {
    const element = control(event);
    if (!element || isPressed(element)) return;
    const { value } = element;
    early.set(element, () => {
      element.value = value;
      for (const name of ["input", "change"]) element.dispatchEvent(new Event(name, { bubbles: true }));
    });
  };
  const listeners = { click: press, input: type, change: type };
  for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener, true);

  // On every page, and as long as it is open: a file that is dropped beside a drop zone would take the page's place.
  const refuseFiles = (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault();
  for (const name of ["dragover", "drop"]) document.addEventListener(name, refuseFiles, true);

  // Without what is started, links and the sign-in form still work; buttons do not, and must not look as if they did.
  const failed = () => {
    if (location.pathname === "/sign-in") return;
    const sentence = document.createElement("p");
    sentence.className = "not-started";
    sentence.role = "alert";
    sentence.textContent =
      "This page could not start, so its buttons don't work: Muster was updated, the connection was lost, or the browser blocks WebAssembly. Reload the page.";
    document.body.prepend(sentence);
  };
  document.addEventListener("start-failed", failed);
  addEventListener("error", ({ target }) => target.localName === "script" && failed(), true);

  new MutationObserver((_, observer) => {
    if (!document.body?.hasAttribute("data-hydrated")) return;
    observer.disconnect();
    for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener, true);
    for (const [element, again] of early) if (element.isConnected) again();
  }).observe(document, { subtree: true, attributeFilter: ["data-hydrated"] });
})();
