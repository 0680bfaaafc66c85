/** The settings page: the tab comes from the address, the values from the controller. */
const query = new URLSearchParams(location.search);
const tab = query.get("tab") === "net" ? "net" : "general";
const form = document.querySelector("form");

for (const panel of document.querySelectorAll("[data-panel]")) {
  panel.hidden = panel.dataset.panel !== tab;
}
document.querySelector(`[data-tab="${tab}"]`).setAttribute("aria-current", "page");
form.elements.tab.value = tab;
document.getElementById("saved").hidden = !query.has("saved");

const values = await (await fetch("/settings.json")).json();
for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
