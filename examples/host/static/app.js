// Shows when the rules have changed since the page was made: here, or in another process.
const changed = document.getElementById("changed");
if (changed) {
  setInterval(async () => {
    const answer = await fetch("/revision");
    if (answer.ok) changed.hidden = (await answer.text()) === changed.dataset.revision;
  }, 1000);
}

// Asks the engine in the browser about the buttons and fields of a ticket, and again when an
// amount is typed. Where there is no such engine, they stay as the server made them; what is
// sent, the server decides in any case.
const fields = document.getElementById("fields");
if (fields) start(fields);

async function start(fields) {
  const [code, part] = await Promise.all([fetch("/browser.wasm"), fetch("/part")]);
  if (!code.ok || !part.ok) return;
  const { instance } = await WebAssembly.instantiateStreaming(code);
  const engine = instance.exports;
  const bytes = (length) => {
    const at = engine.buffer(length); // The memory may grow by this, and be another one then.
    return new Uint8Array(engine.memory.buffer, at, length);
  };
  const write = (text) => {
    const encoded = new TextEncoder().encode(text);
    bytes(encoded.length).set(encoded);
  };
  write(await part.text());
  if (!engine.load()) return;

  const asked = JSON.parse(fields.dataset.asked);
  const refunded = asked.object.attributes.refund;
  const buttons = [...document.querySelectorAll("[data-action]")];
  const inputs = [...document.querySelectorAll("[data-level]")];
  const ask = () => {
    const amount = Number(document.querySelector("[name=amount]")?.value ?? 0);
    asked.object.attributes.refund = refunded + amount;
    asked.can = buttons.map((button) => button.dataset.action);
    asked.levels = inputs.map((input) => input.dataset.level);
    write(JSON.stringify(asked));
    const answers = JSON.parse(new TextDecoder().decode(bytes(engine.ask())));
    for (const button of buttons) button.disabled = !answers.can[button.dataset.action];
    for (const input of inputs) input.readOnly = answers.levels[input.dataset.level] !== "read_write";
    document.body.dataset.asked = "browser";
  };
  document.addEventListener("input", ask);
  ask();
}
