/** Large transfers in both directions, with what a person wants to see of them. */

/** Sends the form in the background and shows progress and the answer. Without this script the form works as it is. */
export function prepareUpload(form, progress, result) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.responseType = "json";
    progress.hidden = false;
    progress.value = 0;
    result.textContent = "uploading";
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      progress.value = total > 0 ? loaded / total : 0;
    });
    request.addEventListener("load", () => {
      progress.value = 1;
      const answer = request.response;
      result.textContent = request.status === 200
        ? `${answer.name}: ${answer.size} bytes, SHA-256 ${answer.sha256}`
        : `failed: ${request.status}`;
    });
    request.addEventListener("error", () => result.textContent = "failed: connection lost");
    request.send(new FormData(form));
  });
}

/** Reads the test file and compares its digest with the one that the controller states. */
export async function checkDownload(result) {
  try {
    const response = await fetch("/download/20mb.bin");
    const total = Number(response.headers.get("content-length"));
    const parts = [];
    let size = 0;
    for (const reader = response.body.getReader();;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      size += value.length;
      result.textContent = `${size} of ${total} bytes`;
    }
    const stated = (await (await fetch("/download/20mb.sha256")).text()).split(" ")[0];
    result.textContent = await verdict(new Blob(parts), stated);
  } catch (error) {
    result.textContent = `failed: ${error.message}`;
  }
}

async function verdict(file, stated) {
  if (!globalThis.crypto?.subtle) return `${file.size} bytes; no digest outside a secure context`;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  const found = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0"));
  return found.join("") === stated ? `${file.size} bytes, SHA-256 matches` : "SHA-256 differs";
}
