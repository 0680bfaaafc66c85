/** The command line: one WebSocket, opened again when it breaks. */
const RETRY_MS = 2000;
const OUTPUT_LINES = 100;

/** Connects the form and gives a function that sends a command. */
export function openConsole(form, output) {
  const lines = [];
  const waiting = [];
  let socket;

  function show(line) {
    lines.push(line);
    lines.splice(0, lines.length - OUTPUT_LINES);
    output.textContent = lines.join("\n");
    output.scrollTop = output.scrollHeight;
  }

  function connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}/socket`, ["workshop.v1"]);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      show(`connected (${socket.protocol})`);
      for (const command of waiting.splice(0)) socket.send(command);
    });
    socket.addEventListener("message", ({ data }) => {
      show(typeof data === "string" ? data : `${data.byteLength} bytes`);
    });
    socket.addEventListener("close", ({ code, reason }) => {
      show(`closed ${code} ${reason}`);
      setTimeout(connect, RETRY_MS);
    });
  }

  function send(command) {
    if (socket.readyState === WebSocket.OPEN) socket.send(command);
    else waiting.push(command);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { value } = form.elements.command;
    if (value === "") return;
    show(`> ${value}`);
    send(value);
    form.reset();
  });
  connect();
  return send;
}
