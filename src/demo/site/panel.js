/** The controller's panel. Readings come by server-sent events, commands go by WebSocket. */
import { drawChart } from "./chart.js";
import { openConsole } from "./console.js";
import { checkDownload, prepareUpload } from "./transfer.js";

const LOG_LINES = 50;
const byId = (id) => document.getElementById(id);

function showRelay(on) {
  byId("lamp").checked = on;
  byId("lamp").disabled = false;
  byId("lamp-state").textContent = on ? "on" : "off";
  byId("lamp-picture").classList.toggle("off", !on);
}

function showLog(text) {
  const line = document.createElement("li");
  line.textContent = text;
  byId("log").prepend(line);
  while (byId("log").childElementCount > LOG_LINES) byId("log").lastElementChild.remove();
}

function showConnection(state, text) {
  byId("connection").dataset.state = state;
  byId("connection").textContent = text;
}

const readings = [];
const events = new EventSource("/events");
events.addEventListener("open", () => showConnection("online", "live"));
events.addEventListener("error", () => showConnection("offline", "reconnecting"));
events.addEventListener("relay", ({ data }) => showRelay(JSON.parse(data).on));
events.addEventListener("log", ({ data }) => showLog(JSON.parse(data).text));
events.addEventListener("temperature", ({ data }) => {
  readings.push(JSON.parse(data).celsius);
  if (readings.length > 120) readings.shift();
  byId("temperature").textContent = readings.at(-1).toFixed(1);
  byId("range").textContent = `${Math.min(...readings).toFixed(1)} to ${
    Math.max(...readings).toFixed(1)
  } °C in the last ${readings.length} readings`;
  drawChart(byId("chart"), readings);
});

const send = openConsole(byId("console-form"), byId("console-output"));
byId("lamp").addEventListener("change", ({ target }) => {
  send(`relay ${target.checked ? "on" : "off"}`);
});

prepareUpload(byId("upload-form"), byId("upload-progress"), byId("upload-result"));
byId("digest-check").addEventListener("click", () => {
  checkDownload(byId("digest-result"));
});
